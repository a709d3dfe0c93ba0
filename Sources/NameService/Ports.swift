import Glibc
import UnixIPC

/// Transport protocols by their name in services(5).
public enum Transport: String, Sendable {
  case tcp
  case udp
}

/// Ports by number or by name.
///
/// Source: services(5), getservbyname(3).
public enum Ports {
  /// Reads a number from 0 to 65535 or a service's name; nil when it is neither.
  public static func find(_ text: String, transport: Transport) -> UInt16? {
    if let number = UInt16(decimal: text) { return number }
    guard text.contains(where: { $0.isLetter }), let entry = getservbyname(text, transport.rawValue) else { return nil }
    return UInt16(bigEndian: UInt16(truncatingIfNeeded: entry.pointee.s_port))
  }
}
