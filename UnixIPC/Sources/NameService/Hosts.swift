import Glibc
@_spi(Begat) import UnixCore

/// Looks up hosts by name and by address.
///
/// Source: getaddrinfo(3), getnameinfo(3).
public enum Hosts {
  /// Why a name has no address.
  public struct LookupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name that was looked up.
    public let host: String
    /// The reason, in the words of the name service.
    public let reason: String
    /// One line for a log: the name, escaped, and the reason.
    public var description: String { "\(escaped(host.utf8)): \(reason)" }
  }

  /// Finds all addresses of a host, in the order in which they should be tried, each with the port.
  ///
  /// The calling thread waits for the name service, which resolv.conf(5) bounds.
  ///
  /// - Parameter host: a name or an address.
  /// - Parameter port: becomes part of each address.
  public static func addresses(of host: String, port: UInt16) throws(LookupError) -> [SocketAddress] {
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
    } catch { throw LookupError(host: host, reason: error.code.description) }
    guard result == 0 else { throw LookupError(host: host, reason: String(cString: gai_strerror(result))) }
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
    guard !found.isEmpty else { throw LookupError(host: host, reason: "no address") }
    return found
  }

  /// Finds the name that the owner of an address gave it; nil if there is none.  It may wait for the network.
  ///
  /// A name with other characters than letters, digits, `-`, `.` and `_` counts as none: anyone may be the owner.
  public static func name(of address: SocketAddress) -> String? {
    // Of a Unix socket's address the C library says this machine's name.
    guard !address.isUnix, let native = try? RawSocketAddress(address.unmapped) else { return nil }
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
