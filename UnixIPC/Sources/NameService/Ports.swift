import Glibc
@_spi(Begat) import UnixCore

/// A transport protocol, by its name in services(5).
public enum Transport: String, Sendable {
  /// The Transmission Control Protocol.
  case tcp
  /// The User Datagram Protocol.
  case udp
}

/// Looks up ports by number or by name.
///
/// Source: services(5), getservbyname_r(3).
public enum Ports {
  /// Reads a number from 0 to 65535, a service's name, or both: `daytime(13)` is 13 if the name is unknown.
  ///
  /// - Parameter text: the number or name.
  /// - Parameter transport: the protocol whose names are meant.
  /// - Returns: nil if it is none of them, or an unknown name without a number.
  ///
  /// Source: `PeerPort` of Perl's IO::Socket::INET.
  public static func find(_ text: String, transport: Transport) -> UInt16? {
    if let number = UInt16(decimal: text) { return number }
    guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return named(text, transport) }
    let name = String(text[..<open])
    guard let fallback = UInt16(decimal: text[text.index(after: open)...].dropLast()), isName(name) else { return nil }
    return named(name, transport) ?? fallback
  }

  /// A service has at least one letter in its name (RFC 6335 §5.1): `80(81)` would name two ports.
  private static func isName(_ text: String) -> Bool { text.contains(where: \.isLetter) && !text.utf8.contains(0) }

  private static func named(_ name: String, _ transport: Transport) -> UInt16? {
    guard isName(name) else { return nil }
    return DatabaseEntry.find(
      servent(), named: name, "getservbyname_r",
      { getservbyname_r($0, transport.rawValue, &$1, $2, $3, &$4) },
      { UInt16(bigEndian: UInt16(truncatingIfNeeded: $0.s_port)) })
  }
}
