import Glibc

/// A socket address as the kernel has it: for calls, and for keeping one without making text of it.
public struct RawSocketAddress: @unchecked Sendable {
  var storage = sockaddr_storage()
  var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  /// Room for any address, for a call that fills it in.
  public init() {}

  /// A copy of the address at `pointer`, which is `length` bytes long.
  public init(_ pointer: UnsafePointer<sockaddr>, length: socklen_t) {
    self.length = min(length, socklen_t(MemoryLayout<sockaddr_storage>.size))
    withUnsafeMutableBytes(of: &storage) { bytes in
      bytes.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: Int(self.length)))
    }
  }

  /// The kernel's form of an address.
  ///
  /// - Throws: `ENAMETOOLONG` for the path or the name of a Unix socket of more than 107 bytes, `EINVAL` for a path with
  ///   a NUL.
  ///
  /// Source: sockaddr(3type).
  public init(_ address: SocketAddress) throws(SystemCallError) { try self.init(address, for: "bind") }

  /// - Parameter call: what the address is for, which an error names.
  init(_ address: SocketAddress, for call: String) throws(SystemCallError) {
    switch address {
    case .ipv4(let host, let port):
      store(
        sockaddr_in(
          sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian,
          sin_addr: in_addr(s_addr: host.rawValue.bigEndian),
          sin_zero: (0, 0, 0, 0, 0, 0, 0, 0)))
    case .ipv6(let host, let port, let scope):
      store(
        sockaddr_in6(
          sin6_family: sa_family_t(AF_INET6), sin6_port: port.bigEndian, sin6_flowinfo: 0, sin6_addr: host.native,
          sin6_scope_id: scope))
    case .unixPath(let path): try storeUnix(path.bytes, of: address, for: call)
    case .unixAbstract(let name): try storeUnix([0] + name, of: address, for: call)
    case .unixUnnamed: try storeUnix([], of: address, for: call)
    }
  }

  private mutating func store<Address>(_ address: Address) {
    withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: Address.self) }
    length = socklen_t(MemoryLayout<Address>.size)
  }

  /// A path must leave room for the NUL that other programs expect at its end, and contain none.
  private mutating func storeUnix(_ name: [UInt8], of address: SocketAddress, for call: String) throws(SystemCallError)
  {
    let isPath = name.first.map { $0 != 0 } ?? false
    guard name.count + (isPath ? 1 : 0) <= 108 else {
      throw SystemCallError(call, on: address.description, code: .fileNameTooLong)
    }
    guard !isPath || !name.contains(0) else {
      throw SystemCallError(call, on: address.description, code: .invalidArgument)
    }
    withUnsafeMutableBytes(of: &storage) { bytes in
      bytes.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
      for (index, byte) in name.enumerated() { bytes[2 + index] = byte }
    }
    length = socklen_t(2 + name.count + (isPath ? 1 : 0))
  }

  /// The family of the address.
  public var family: AddressFamily { AddressFamily(rawValue: CInt(storage.ss_family)) }

  /// The address as a value; nil for a family that this library does not know.
  public var address: SocketAddress? {
    withUnsafeBytes(of: storage) { bytes -> SocketAddress? in
      switch family {
      case .ipv4:
        let native = bytes.loadUnaligned(as: sockaddr_in.self)
        return .ipv4(
          IPv4Address(rawValue: UInt32(bigEndian: native.sin_addr.s_addr)), port: UInt16(bigEndian: native.sin_port))
      case .ipv6:
        let native = bytes.loadUnaligned(as: sockaddr_in6.self)
        return .ipv6(
          IPv6Address(native.sin6_addr), port: UInt16(bigEndian: native.sin6_port), scope: native.sin6_scope_id)
      case .unix:
        let name = bytes[2..<max(2, min(Int(length), 110))]
        guard let first = name.first else { return .unixUnnamed }
        if first == 0 { return .unixAbstract(Array(name.dropFirst())) }
        return .unixPath(UnixPath(bytes: name.prefix { $0 != 0 }))
      default:
        return nil
      }
    }
  }

  /// Lends the address to a call that this library does not wrap.
  public func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafeBytes(of: storage) { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length) }
  }

  mutating func withMutablePointer<Result>(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
  ) -> Result {
    length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutableBytes(of: &storage) { bytes in
      withUnsafeMutablePointer(to: &length) { length in
        body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
      }
    }
  }
}
