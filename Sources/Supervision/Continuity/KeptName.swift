import Settings
@_spi(Begat) import UnixCore

/// The names under which descriptors outlive a begatd: in the service manager's descriptor store over a restart, and in
/// begatd itself over an upgrade.
///
/// They are printable ASCII without a colon, at most 255 bytes, as the manager wants them.
///
/// Source: FDNAME in sd_notify(3).
enum KeptName: Hashable {
  /// A socket that listens at an address.  Several sockets may have one address, each for an interface of its own.
  case stream(SocketAddress, device: String? = nil)
  case datagram(SocketAddress, device: String? = nil)
  /// The state document.  Each version has its own number, so that the new one is stored before the old one is removed.
  case state(UInt64)
  /// The table of bans, which each begatd makes anew.  The document says which one is meant.
  case bans(UInt64)
  /// The admission book of a service.
  case book(service: String)
  /// The scoreboard of a listener.
  case board(service: String, generation: UInt64)
  /// begatd's end of the second channel of a listener.
  case channel(service: String, generation: UInt64)
  /// begatd's end of the first channel: kept over an upgrade alone, because its end is what tells a listener that begatd
  /// is gone.
  case firstChannel(service: String, generation: UInt64)
  /// The resolver's end of the socket at which connection processes of a listener ask for names, over an upgrade.
  case nameRequests(service: String, generation: UInt64)
  /// The names that are known, over an upgrade; with the version of their layout.
  case nameCache(version: Int)

  /// All names begin so; sockets that the manager passes for a socket unit have the unit's name, which has no space.
  static let prefix = "begat-"

  /// Whether a passed descriptor is one that a begatd has kept.
  static func isKept(_ text: String) -> Bool { text.hasPrefix(prefix) && text.contains(" ") }

  /// Whether it is the name of a socket of datagrams; nil for that of no socket.
  static func isDatagramSocket(_ text: String) -> Bool? {
    if text.hasPrefix("\(prefix)datagram ") { return true }
    return text.hasPrefix("\(prefix)stream ") ? false : nil
  }

  /// The number of a version of the state document; nil for another name.
  static func stateNumber(_ text: String) -> UInt64? {
    let beginning = "\(prefix)state "
    guard text.hasPrefix(beginning), let number = UInt64(text.dropFirst(beginning.count)) else { return nil }
    // The next one must have a number too.
    return number < .max ? number : nil
  }

  /// Whether the document must name another one before this one is given up.
  static func isVersioned(_ text: String) -> Bool {
    ["state", "bans"].contains { text.hasPrefix("\(prefix)\($0) ") }
  }

  var text: String {
    switch self {
    case .stream(let address, let device): KeptName.name("stream", KeptName.written(address, device))
    case .datagram(let address, let device): KeptName.name("datagram", KeptName.written(address, device))
    case .state(let number): KeptName.name("state", "\(number)")
    case .bans(let number): KeptName.name("bans", "\(number)")
    case .book(let service): KeptName.name("book", service)
    case .board(let service, let generation): KeptName.name("board", "\(service) \(generation)")
    case .channel(let service, let generation): KeptName.name("channel", "\(service) \(generation)")
    case .firstChannel(let service, let generation): KeptName.name("first-channel", "\(service) \(generation)")
    case .nameRequests(let service, let generation): KeptName.name("name-requests", "\(service) \(generation)")
    case .nameCache(let version): KeptName.name("name-cache", "\(version)")
    }
  }

  private static func name(_ kind: String, _ rest: String) -> String { "\(prefix)\(kind) \(rest)" }

  /// So many bytes of an address are written before it is cut; a path may be three times as long as the kernel's limit of
  /// 107 bytes.
  private static let maxAddress = 200

  private static func written(_ address: SocketAddress, _ device: String?) -> String {
    written(address.description) + (device.map { " \(written($0))" } ?? "")
  }

  /// A colon becomes a semicolon, and what else a name cannot have, or would be mistaken, `%XX`.
  private static func written(_ address: String) -> String {
    var text = ""
    for byte in address.utf8 {
      switch byte {
      case UInt8(ascii: ":"): text += ";"
      case UInt8(ascii: ";"), UInt8(ascii: "%"), 0...0x20, 0x7f...: text += percent(byte)
      default: text.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    guard text.utf8.count > maxAddress else { return text }
    // The digest distinguishes long addresses with one prefix.
    return "\(text.prefix(maxAddress))~\(String(text.utf8.fnv1a, radix: 16))"
  }

  private static func percent(_ byte: UInt8) -> String { "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
