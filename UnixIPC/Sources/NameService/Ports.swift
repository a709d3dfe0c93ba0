import Glibc
@_spi(Begat) import UnixCore

/// Transport protocols by their name in services(5).
public enum Transport: String, Sendable {
  case tcp
  case udp
}

/// Ports by number or by name.
///
/// Source: services(5), getservbyname_r(3).
public enum Ports {
  /// Reads a number from 0 to 65535, a service's name, or both: `daytime(13)` is 13 where the name is unknown.
  ///
  /// - Returns: nil when it is none of them, or a name that is unknown and has no number.
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
    var size = 1024
    // More than the lines of services(5) have; bounded, whatever serves them.
    while size <= 1 << 20 {
      let (result, port) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { room in
        var entry = servent()
        var found: UnsafeMutablePointer<servent>?
        let result = getservbyname_r(name, transport.rawValue, &entry, room.baseAddress, room.count, &found)
        return (result, found.map { UInt16(bigEndian: UInt16(truncatingIfNeeded: $0.pointee.s_port)) })
      }
      if result != ERANGE { return port }
      size *= 4
    }
    return nil
  }
}
