import CSharedLayouts
import Glibc
@_spi(Begat) import UnixCore

/// Names of hosts in shared memory: one resolver writes, connection processes read and wait.
///
/// A place is found by the address's hash; a newer name replaces an older one in the same place.  A reader checks the
/// sequence number before and after, so that it never takes half a name, and the name's length and characters, because
/// it comes from the network by way of another process.
public struct NameCache: ~Copyable, Sendable {
  public static let placeCount = 1024
  public static let longestName = 255
  public static let size = placeCount * MemoryLayout<begat_name>.stride

  private let memory: MemoryMapping

  /// Maps the object that `MemoryFile.create` made with `size`.
  ///
  /// - Throws: `EINVAL` when it is too small.
  public init(_ object: borrowing Descriptor, writable: Bool) throws(SystemCallError) {
    guard try MemoryFile.size(of: object) >= NameCache.size else {
      throw SystemCallError("mmap", on: "name cache", code: .invalidArgument)
    }
    memory = try MemoryMapping.file(object, size: NameCache.size, writable: writable)
  }

  /// An internet address as the cache knows it: 16 bytes, IPv4 in the mapped form.
  public struct Key: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    /// Nil for an address that has no name.
    public init?(_ address: SocketAddress) {
      switch address {
      case .ipv4(let host, _): (high, low) = (0, 0xffff_0000_0000 | UInt64(host.rawValue))
      case .ipv6(let host, _, _): (high, low) = (host.high, host.low)
      case .unixPath, .unixAbstract, .unixUnnamed: return nil
      }
    }

    /// Reads the message that `send` sent.
    public init?(message: UnsafeRawBufferPointer) {
      guard message.count == 16 else { return nil }
      high = message.loadUnaligned(as: UInt64.self)
      low = message.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    }

    /// Asks the resolver, without waiting; false when it takes no more.
    public func send(on socket: borrowing Descriptor) -> Bool {
      withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes in
        bytes.storeBytes(of: high, as: UInt64.self)
        bytes.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
        return (try? socket.send(UnsafeRawBufferPointer(bytes), waiting: false)) != nil
      }
    }

    public var address: SocketAddress {
      let host = IPv6Address(high: high, low: low)
      if let mapped = host.unmapped { return .ipv4(mapped, port: 0) }
      return .ipv6(host, port: 0)
    }

    fileprivate var place: Int {
      let mixed = (high ^ low &* 0x9e37_79b9_7f4a_7c15) &* 0x9e37_79b9_7f4a_7c15
      return Int(mixed >> 32) % NameCache.placeCount
    }

    fileprivate func isAt(_ entry: UnsafeMutablePointer<begat_name>) -> Bool {
      withUnsafeBytes(of: entry.pointee.address) {
        $0.loadUnaligned(as: UInt64.self) == high && $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == low
      }
    }
  }

  public enum Answer: Hashable, Sendable {
    case name
    /// The host is known to have no name.
    case nameless
    /// Not in the cache, or too old.
    case unknown
  }

  private func entry(_ key: Key) -> UnsafeMutablePointer<begat_name> {
    memory.unsafeBytes.baseAddress!.assumingMemoryBound(to: begat_name.self) + key.place
  }

  /// The state of the key's place, for `wait`.
  public func sequence(for key: Key) -> UInt32 { begat_load(&entry(key).pointee.sequence) }

  /// Looks a name up and writes it; what is written counts only where the answer is `name`.
  package func look(_ key: Key, writeTo text: inout ByteWriter) -> Answer {
    let entry = entry(key)
    let before = begat_load(&entry.pointee.sequence)
    guard before & 1 == 0, key.isAt(entry), entry.pointee.expires > SystemClock.monotonic() else { return .unknown }
    // Kept back until it is known to be whole, and looked at only once: the memory may change at any time.
    var attempt = text
    let length = Int(begat_load(&entry.pointee.length))
    guard length <= NameCache.longestName else { return .nameless }
    attempt.append(UnsafeRawBufferPointer(start: begat_name_bytes(entry), count: length))
    begat_fence()
    guard begat_load(&entry.pointee.sequence) == before else { return .unknown }
    guard length > 0 else { return .nameless }
    let written = attempt.bytes
    for index in text.count..<written.count where !NameCache.isNameByte(written[index]) { return .nameless }
    text = attempt
    return .name
  }

  /// Whether names of hosts may contain the byte: letters, digits, `-`, `.` and the `_` that some networks use.
  ///
  /// Source: RFC 1123 section 2.1.
  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// The name of the host; nil where the cache has none.
  public func name(of key: Key) -> String? {
    withUnsafeTemporaryAllocation(byteCount: NameCache.longestName, alignment: 1) { room in
      var text = ByteWriter(room)
      return look(key, writeTo: &text) == .name ? String(decoding: text.bytes, as: UTF8.self) : nil
    }
  }

  /// Whether the cache has an answer for the host.
  public func knows(_ key: Key) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: NameCache.longestName, alignment: 1) { room in
      var text = ByteWriter(room)
      return look(key, writeTo: &text) != .unknown
    }
  }

  /// Waits until the key's place changes; false after the time.
  public func wait(for key: Key, unlessChangedFrom sequence: UInt32, nanoseconds: Int64) -> Bool {
    begat_futex_wait(&entry(key).pointee.sequence, sequence, nanoseconds) == 0
      || begat_load(&entry(key).pointee.sequence) != sequence
  }

  /// Enters the result of a lookup, and wakes the processes that wait for it.  For the one resolver.
  ///
  /// - Parameter name: nil for a host without one; at most 255 bytes.
  public func store(_ name: String?, for key: Key, lifetime: Duration) {
    let entry = entry(key)
    let sequence = begat_load(&entry.pointee.sequence)
    begat_store(&entry.pointee.sequence, sequence | 1)
    begat_fence()
    withUnsafeMutableBytes(of: &entry.pointee.address) {
      $0.storeBytes(of: key.high, as: UInt64.self)
      $0.storeBytes(of: key.low, toByteOffset: 8, as: UInt64.self)
    }
    var text = ByteWriter(UnsafeMutableRawBufferPointer(start: begat_name_bytes(entry), count: NameCache.longestName))
    text.append(name ?? "")
    entry.pointee.length = UInt32(text.count)
    entry.pointee.expires = SystemClock.monotonic() + lifetime.components.seconds * 1_000_000_000
    begat_store(&entry.pointee.sequence, (sequence | 1) &+ 1)
    begat_futex_wake(&entry.pointee.sequence)
  }
}
