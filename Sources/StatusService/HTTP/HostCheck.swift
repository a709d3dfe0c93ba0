@_spi(Begat) import UnixCore

/// Decides by which names a service may be asked.
///
/// A page that a browser has loaded from another site can have that site's name resolved to this server's address
/// afterwards, and reads then what the server answers ("DNS rebinding").  The browser still sends the name: only addresses
/// and names that the administrator knows are answered.
struct HostCheck: Sendable {
  private let names: Set<String>

  /// - Parameter names: in any case.
  init(names: [String]) { self.names = Set(names.map { $0.lowercased() } + ["localhost"]) }

  /// Whether a request may be answered.
  ///
  /// - Parameter authority: a host with or without a port; nil for a request of HTTP/1.0 that has none: no browser sends
  ///   such requests, and simple health checks do.
  func allows(_ authority: String?) -> Bool {
    guard let authority else { return true }
    guard let host = HostCheck.host(of: authority) else { return false }
    if host.hasPrefix("[") {
      // An address may have the interface behind it.
      return IPv6Address(String(host.dropFirst().dropLast().prefix { $0 != "%" })) != nil
    }
    if IPv4Address(host) != nil { return true }
    // A final dot stands for the root of all names.
    return names.contains((host.hasSuffix(".") ? String(host.dropLast()) : host).lowercased())
  }

  /// The host without its port; nil for a text that is neither.
  ///
  /// Source: RFC 3986 section 3.2.
  private static func host(of authority: String) -> String? {
    let end: String.Index
    if authority.hasPrefix("[") {
      guard let bracket = authority.firstIndex(of: "]") else { return nil }
      end = authority.index(after: bracket)
    } else {
      end = authority.firstIndex(of: ":") ?? authority.endIndex
    }
    let port = authority[end...]
    guard port.isEmpty || port.hasPrefix(":") && port.utf8.dropFirst().allSatisfy(HTTPByte.isDigit) else { return nil }
    return String(authority[..<end])
  }
}
