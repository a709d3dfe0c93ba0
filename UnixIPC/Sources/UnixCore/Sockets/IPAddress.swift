import Glibc

/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable {
  /// The address as a number, its first part in the most significant byte.
  public let rawValue: UInt32

  /// The address with this number, its first part in the most significant byte.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Four decimal numbers with dots; nil for anything else.
  public init?(_ text: String) {
    var native = in_addr()
    let result = try? text.withCText("inet_pton") { (text) throws(SystemCallError) in inet_pton(AF_INET, text, &native)
    }
    guard result == 1 else { return nil }
    rawValue = UInt32(bigEndian: native.s_addr)
  }

  /// All addresses of the machine, for servers: `0.0.0.0`.
  public static let any = IPv4Address(rawValue: 0)
  /// This machine, for itself alone: `127.0.0.1`.
  public static let loopback = IPv4Address(rawValue: 0x7f00_0001)
}

extension IPv4Address {
  /// Appends what `description` says, without allocating.
  @_spi(Begat) public func write(to text: inout ByteWriter) {
    text.append(decimal: rawValue >> 24)
    text.append(UInt8(ascii: "."))
    text.append(decimal: rawValue >> 16 & 255)
    text.append(UInt8(ascii: "."))
    text.append(decimal: rawValue >> 8 & 255)
    text.append(UInt8(ascii: "."))
    text.append(decimal: rawValue & 255)
  }
}

extension IPv4Address: CustomStringConvertible {
  /// Four decimal numbers with dots.
  public var description: String {
    "\(rawValue >> 24).\(rawValue >> 16 & 255).\(rawValue >> 8 & 255).\(rawValue & 255)"
  }
}

/// An IPv6 address.
///
/// Source: RFC 4291, text as RFC 5952.
public struct IPv6Address: Hashable, Sendable {
  /// The first eight bytes as a number, most significant byte first.
  public let high: UInt64
  /// The last eight bytes as a number, most significant byte first.
  public let low: UInt64

  /// The address of these two halves.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Hexadecimal groups with colons, without brackets and zone; nil for anything else.
  public init?(_ text: String) {
    var native = in6_addr()
    let result = try? text.withCText("inet_pton") { (text) throws(SystemCallError) in inet_pton(AF_INET6, text, &native)
    }
    guard result == 1 else { return nil }
    self.init(native)
  }

  init(_ native: in6_addr) {
    (high, low) = withUnsafeBytes(of: native) { bytes in
      (
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }

  package var native: in6_addr {
    var native = in6_addr()
    withUnsafeMutableBytes(of: &native) { bytes in
      bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
      bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return native
  }

  /// All addresses of the machine, for servers: `::`.
  public static let any = IPv6Address(high: 0, low: 0)
  /// This machine, for itself alone: `::1`.
  public static let loopback = IPv6Address(high: 0, low: 1)

  /// The IPv4 address that a mapped one (`::ffff:a.b.c.d`) stands for.
  public var unmapped: IPv4Address? {
    high == 0 && low >> 32 == 0xffff ? IPv4Address(rawValue: UInt32(truncatingIfNeeded: low)) : nil
  }
}

extension IPv6Address {
  /// Appends what `description` says, without allocating.
  @_spi(Begat) public func write(to text: inout ByteWriter) {
    var native = native
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 46) { room in
      guard let start = room.baseAddress, inet_ntop(AF_INET6, &native, start, 46) != nil else { return }
      text.append(UnsafeRawBufferPointer(start: start, count: strlen(start)))
    }
  }
}

extension IPv6Address: CustomStringConvertible {
  /// The text form of RFC 5952, without brackets.
  public var description: String {
    withUnsafeTemporaryAllocation(byteCount: 46, alignment: 1) { room in
      var text = ByteWriter(room)
      write(to: &text)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }
}

extension IPv4Address {
  /// The address with only its first bits, the others 0.
  ///
  /// - Parameter count: less than 1 keeps none, more than 32 all.
  public func keeping(firstBits count: Int) -> IPv4Address {
    IPv4Address(rawValue: rawValue & UInt32(truncatingIfNeeded: highBits(count) >> 32))
  }
}

extension IPv6Address {
  /// The address with only its first bits, the others 0.
  ///
  /// - Parameter count: less than 1 keeps none, more than 128 all.
  public func keeping(firstBits count: Int) -> IPv6Address {
    IPv6Address(high: high & highBits(count), low: low & highBits(max(0, count) - 64))
  }
}

/// The first `count` of 64 bits.
@_spi(Begat) public func highBits(_ count: Int) -> UInt64 { count <= 0 ? 0 : ~0 << UInt64(64 - min(count, 64)) }
