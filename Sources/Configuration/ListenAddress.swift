import NameService
import UnixIPC

/// Where a service listens.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// begatd binds it; an optional one is left out where the machine lacks its family.
  case address(SocketAddress, isOptional: Bool)
  /// The service manager passes it under this name (`FileDescriptorName=`).
  case passed(name: String)

  public var description: String {
    switch self {
    case .address(let address, _): address.description
    case .passed(let name): "fd:\(printable(name))"
    }
  }
}

/// Reads addresses as a configuration has them.
///
/// Source: ListenStream= in systemd.socket(5).
struct AddressReader {
  /// What is wrong with a text.
  struct Refusal: Error, Hashable {
    let message: String
  }

  static let forms = "PORT, IPV4:PORT, [IPV6]:PORT, /PATH, %t/PATH, @ABSTRACT or fd:NAME"
  private static let longestUnixName = 107

  let transport: Transport
  let runtimeDirectory: String

  /// One address, or two for a port alone: one of each family.
  func read(_ text: String) throws(Refusal) -> [ListenAddress] {
    if text.hasPrefix("/") { return [try path(text)] }
    if text.hasPrefix("%t/") { return [try path(runtimeDirectory + text.dropFirst(2))] }
    if text.hasPrefix("@") { return [try abstract(text)] }
    if text.hasPrefix("fd:") { return [try passed(String(text.dropFirst(3)))] }
    guard let colon = text.lastIndex(of: ":") else { return try everywhere(text) }
    return [try internet(host: String(text[..<colon]), port: String(text[text.index(after: colon)...]), whole: text)]
  }

  private func path(_ path: String) throws(Refusal) -> ListenAddress {
    guard !path.hasSuffix("/") else { throw Refusal(message: "expected the path of a socket, found a directory's") }
    try limit(path.utf8.count, "the path \(printable(path))")
    return .address(.unixPath(path), isOptional: false)
  }

  private func abstract(_ text: String) throws(Refusal) -> ListenAddress {
    let name = Array(text.utf8.dropFirst())
    guard !name.isEmpty else { throw Refusal(message: "expected a name after @") }
    try limit(name.count, "the name \(printable(text))")
    return .address(.unixAbstract(name), isOptional: false)
  }

  private func limit(_ count: Int, _ what: String) throws(Refusal) {
    guard count > AddressReader.longestUnixName else { return }
    throw Refusal(message: "\(what) has \(count) bytes; a Unix socket's has at most \(AddressReader.longestUnixName)")
  }

  private func passed(_ name: String) throws(Refusal) -> ListenAddress {
    // The manager's own rule: sd_is_valid_fdname.
    let isValid = name.utf8.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ":") }
    guard isValid, (1...255).contains(name.utf8.count) else {
      throw Refusal(message: "expected fd:NAME, found \(quoted("fd:" + name))")
    }
    return .passed(name: name)
  }

  private func everywhere(_ text: String) throws(Refusal) -> [ListenAddress] {
    guard let port = Ports.find(text, transport: transport) else {
      throw Refusal(message: "expected \(AddressReader.forms), found \(quoted(text))")
    }
    let both: [SocketAddress] = [.ipv4(.any, port: port), .ipv6(.any, port: port)]
    return both.map { .address($0, isOptional: true) }
  }

  private func internet(host: String, port: String, whole: String) throws(Refusal) -> ListenAddress {
    guard !host.isEmpty else { throw Refusal(message: "expected \(AddressReader.forms), found \(quoted(whole))") }
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    guard isBracketed || IPv4Address(host) != nil else {
      if host.contains(":") {
        throw Refusal(message: "expected an IPv6 address in brackets and a port, found \(quoted(whole))")
      }
      throw Refusal(message: "expected an address, not a name: \(quoted(whole))")
    }
    guard let number = Ports.find(port, transport: transport) else {
      let wanted = "a port from 0 to 65535 or a \(transport.rawValue) name of /etc/services"
      throw Refusal(message: "expected \(wanted), found \(quoted(port))")
    }
    guard let address = SocketAddress(host: host, port: number) else {
      throw Refusal(message: "expected an address and a port, found \(quoted(whole))")
    }
    // The kernel takes no mapped address on a socket for IPv6 alone.
    if case .ipv6(let ipv6, _, _) = address, let mapped = ipv6.unmapped {
      return .address(.ipv4(mapped, port: number), isOptional: false)
    }
    return .address(address, isOptional: false)
  }
}
