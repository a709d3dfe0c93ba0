@_spi(Begat) import UnixCore

/// Reads the addresses of `listen-stream` and `listen-datagram`.
///
/// Source: ListenStream= in systemd.socket(5).
public struct AddressReader {
  static let forms = "PORT, IPV4:PORT, [IPV6]:PORT, /PATH, %t/PATH, @ABSTRACT or fd:NAME"
  private static let longestUnixName = 107

  /// Whether ports are those of UDP; else of TCP.
  let isDatagram: Bool
  let lookups: any MachineLookups

  public init(isDatagram: Bool, _ lookups: any MachineLookups) {
    self.isDatagram = isDatagram
    self.lookups = lookups
  }

  /// One address, or two for a port alone: one of each family.
  public func read(_ text: String) throws(ValueProblems) -> [ListenAddress] {
    if text.hasPrefix("/") { return [try path(text)] }
    if text.hasPrefix("%t/") { return [try path(lookups.runtimeDirectory + text.dropFirst(2))] }
    if text.hasPrefix("@") { return [try abstract(text)] }
    if text.hasPrefix("fd:") { return [try passed(String(text.dropFirst(3)))] }
    guard let colon = text.lastIndex(of: ":") else { return try everywhere(text) }
    return [try internet(host: String(text[..<colon]), port: String(text[text.index(after: colon)...]), whole: text)]
  }

  private func path(_ path: String) throws(ValueProblems) -> ListenAddress {
    guard !path.hasSuffix("/") else { throw ValueProblems("expected the path of a socket, found a directory's") }
    try limit(path.utf8.count, "the path \(printable(path))")
    return .address(.unixPath(UnixPath(path)), isOptional: false)
  }

  private func abstract(_ text: String) throws(ValueProblems) -> ListenAddress {
    let name = Array(text.utf8.dropFirst())
    guard !name.isEmpty else { throw ValueProblems("expected a name after @") }
    try limit(name.count, "the name \(printable(text))")
    return .address(.unixAbstract(name), isOptional: false)
  }

  private func limit(_ count: Int, _ what: String) throws(ValueProblems) {
    guard count > AddressReader.longestUnixName else { return }
    throw ValueProblems("\(what) has \(count) bytes; a Unix socket's has at most \(AddressReader.longestUnixName)")
  }

  private func passed(_ name: String) throws(ValueProblems) -> ListenAddress {
    // The manager's own rule: sd_is_valid_fdname.
    let isValid = name.utf8.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ":") }
    guard isValid, (1...255).contains(name.utf8.count) else {
      throw ValueProblems("expected fd:NAME, found \(quoted("fd:" + name))")
    }
    return .passed(name: name)
  }

  private func everywhere(_ text: String) throws(ValueProblems) -> [ListenAddress] {
    guard let port = lookups.port(text, isDatagram: isDatagram) else {
      throw ValueProblems("expected \(AddressReader.forms), found \(quoted(text))")
    }
    let both: [SocketAddress] = [.ipv4(.any, port: port), .ipv6(.any, port: port)]
    return both.map { .address($0, isOptional: true) }
  }

  private func internet(host: String, port: String, whole: String) throws(ValueProblems) -> ListenAddress {
    guard !host.isEmpty else { throw ValueProblems("expected \(AddressReader.forms), found \(quoted(whole))") }
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    guard isBracketed || IPv4Address(host) != nil else {
      if host.contains(":") {
        throw ValueProblems("expected an IPv6 address in brackets and a port, found \(quoted(whole))")
      }
      throw ValueProblems("expected an address, not a name: \(quoted(whole))")
    }
    guard let number = lookups.port(port, isDatagram: isDatagram) else {
      let wanted = "a port from 0 to 65535 or a \(isDatagram ? "udp" : "tcp") name of /etc/services"
      throw ValueProblems("expected \(wanted), found \(quoted(port))")
    }
    guard let address = SocketAddress(host: host, port: number) else {
      throw ValueProblems("expected an address and a port, found \(quoted(whole))")
    }
    // The kernel takes no mapped address on a socket for IPv6 alone.
    if case .ipv6(let ipv6, _, _) = address, let mapped = ipv6.unmapped {
      return .address(.ipv4(mapped, port: number), isOptional: false)
    }
    return .address(address, isOptional: false)
  }
}
