import Glibc
@_spi(Begat) import UnixCore

/// Hosts by name and by address.
///
/// Source: getaddrinfo(3), getnameinfo(3).
public enum Hosts {
  /// Why a name has no address.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    public let host: String
    public let reason: String
    public var description: String { "\(escaped(host.utf8)): \(reason)" }
  }

  /// All addresses of a host, in the order in which they should be tried, each with the port.
  public static func addresses(of host: String, port: UInt16) throws(Failure) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = SocketKind.stream.rawValue
    hints.ai_flags = CInt(AI_ADDRCONFIG)
    var list: UnsafeMutablePointer<addrinfo>?
    let result: CInt
    do throws(SystemCallError) {
      result = try host.withCText("getaddrinfo") { (name) throws(SystemCallError) in
        let result = getaddrinfo(name, nil, &hints, &list)
        if result == 0 { return result }
        // An address of a family that this machine has no route for is an address all the same.
        hints.ai_flags = CInt(AI_NUMERICHOST)
        return getaddrinfo(name, nil, &hints, &list) == 0 ? 0 : result
      }
    } catch { throw Failure(host: host, reason: error.code.description) }
    guard result == 0 else { throw Failure(host: host, reason: String(cString: gai_strerror(result))) }
    defer { freeaddrinfo(list) }

    var found: [SocketAddress] = []
    var entry = list
    while let node = entry?.pointee {
      if let native = node.ai_addr, let address = RawSocketAddress(native, length: node.ai_addrlen).address {
        switch address {
        case .ipv4(let host, _): found.append(.ipv4(host, port: port))
        case .ipv6(let host, _, let scope): found.append(.ipv6(host, port: port, scope: scope))
        case .unixPath, .unixAbstract, .unixUnnamed: break
        }
      }
      entry = node.ai_next
    }
    guard !found.isEmpty else { throw Failure(host: host, reason: "no address") }
    return found
  }

  /// The name that an address's owner gave it, nil when there is none; may wait for the network.
  ///
  /// Only letters, digits, `-`, `.` and `_` are believed: the owner may be anybody.
  public static func name(of address: SocketAddress) -> String? {
    // Of a Unix socket's address the C library says this machine's name.
    guard !address.isUnix, let native = try? RawSocketAddress(address) else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { room -> String? in
      let result = native.withPointer { pointer, length in
        getnameinfo(pointer, length, room.baseAddress, socklen_t(room.count), nil, 0, NI_NAMEREQD)
      }
      guard result == 0, let start = room.baseAddress else { return nil }
      let name = UntrustedBytes(UnsafeRawBufferPointer(start: start, count: strlen(start)))
      return try? name.word(of: nameCharacters, upTo: 255)
    }
  }

  private static let nameCharacters = ASCIISet.letters.union(.digits).union("-._")
}
