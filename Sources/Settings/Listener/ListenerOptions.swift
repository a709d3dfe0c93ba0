/// The command line of begat-listener: the settings of one service, and what only a listener is told.
///
/// begatd renders it, begat-listener reads it; people type the same.
@dynamicMemberLookup
public struct ListenerOptions: SettingsTable {
  public var service = ServiceSettings()
  public var name = ""
  /// Numbers of open sockets to serve on.
  public var sockets: [CInt] = []
  /// Numbers of listening sockets whose clients are still accepted, and which are then closed.
  public var closingSockets: [CInt] = []
  public var stdio = false
  public var drainTimeout = DaemonSettings().drainTimeout
  /// Supplementary groups, by number.
  public var groups: [UInt32] = []
  /// Ports at which a datagram service of begatd's answers: two of them must not talk to each other.
  public var datagramPorts: [UInt16] = []
  public var channel: CInt?
  /// The channel that the next supervisor has.
  public var keptChannel: CInt?
  public var scoreboard: CInt?
  /// The admission book of the service, which outlives its listeners.
  public var admissionBook: CInt?
  /// Where the book counts the connections of this listener, beside those of listeners that drain.
  public var column = 0
  public var bans: CInt?
  /// The service's number in the table of bans; 0 is for bans of all services alone.
  public var banNumber: UInt32 = 0
  public var names: CInt?
  public var nameRequests: CInt?
  public var help = false
  public var version = false

  public init() {}

  public static let standard = ListenerOptions()

  public subscript<Value>(dynamicMember property: WritableKeyPath<ServiceSettings, Value>) -> Value {
    get { service[keyPath: property] }
    set { service[keyPath: property] = newValue }
  }

  /// Settings that are computed.
  public subscript<Value>(dynamicMember property: KeyPath<ServiceSettings, Value>) -> Value {
    service[keyPath: property]
  }

  /// Keys of a service that no option has: a disabled service has no listener, and the program stands behind `--`.
  private static let keysWithoutOption: Set = ["enabled", "exec"]

  public static var keys: [Key<ListenerOptions>] { serviceKeys + listenerKeys }

  public static func key(named name: String) -> Key<ListenerOptions>? {
    if let key = listenerKeys.first(where: { $0.name == name }) { return key }
    return settingKeys.first { $0.name == name }?.lifted(into: \.service)
  }

  /// Those of the keys that have one of the names, in their order.
  public static func keys(named names: Set<String>) -> [Key<ListenerOptions>] {
    settingKeys.filter { names.contains($0.name) }.map { $0.lifted(into: \.service) }
      + listenerKeys.filter { names.contains($0.name) }
  }

  /// Those that are keys of a service too.
  static var serviceKeys: [Key<ListenerOptions>] { settingKeys.map { $0.lifted(into: \.service) } }

  /// The same as keys of the service.
  static let settingKeys = ServiceSettings.keys.filter { !keysWithoutOption.contains($0.name) }

  /// All others.
  static let listenerKeys = ownKeys + supervisedKeys + generalKeys

  static let ownKeys: [Key<ListenerOptions>] = [
    Key("name", \.name, .serviceName, "name of the service in titles and logs; unset: that of what it offers"),
    Key(
      "socket", \.sockets, .list(of: "descriptors", .integer(in: 3...CInt.max)), "serve on this open socket",
      when: [.listening]),
    Key("stdio", \.stdio, .boolean, "serve one connection on standard input and output, then end"),
    Key(
      "drain-timeout", \.drainTimeout, .duration, "how long open connections may go on after SIGTERM",
      when: [.listening]),
    Key(
      "groups", \.groups, .list(of: "numbers of groups", .integer(in: 0...UInt32.max - 1)),
      "supplementary groups of the service, by number; unset: none"),
  ]

  /// What begatd tells its listeners.
  static let supervisedKeys: [Key<ListenerOptions>] = [
    Key(
      "datagram-port", \.datagramPorts, .list(of: "ports", .integer(in: 1...UInt16.max)),
      "port of another datagram service of the same supervisor, never answered", when: [.listening]),
    Key(
      "channel", \.channel, optional: .integer(in: 3...CInt.max),
      "the supervisor's channel; when it closes, drain and end",
      when: [.listening]),
    Key(
      "kept-channel", \.keptChannel, optional: .integer(in: 3...CInt.max),
      "the channel to the next supervisor, used when the first channel has closed", when: [.listening]),
    Key(
      "scoreboard", \.scoreboard, optional: .integer(in: 3...CInt.max),
      "the memory object in which connections are shown",
      when: [.listening]),
    Key(
      "closing", \.closingSockets, .list(of: "descriptors", .integer(in: 3...CInt.max)),
      "a listening socket that was given up: serve the clients that wait at it, then close it", when: [.listening]),
    Key(
      "admission", \.admissionBook, optional: .integer(in: 3...CInt.max),
      "the memory object in which admitted connections are counted; unset: memory of its own", when: [.listening]),
    Key(
      "column", \.column, .integer(in: 0...3), "where that object counts the connections of this listener",
      when: [.listening]),
    Key(
      "bans", \.bans, optional: .integer(in: 3...CInt.max), "the memory object with networks that are banned",
      when: [.listening]),
    Key(
      "ban-number", \.banNumber, .integer(in: 0...UInt32.max), "the service's number in that object",
      when: [.listening]),
    Key(
      "names", \.names, optional: .integer(in: 3...CInt.max), "the memory object with names of hosts",
      when: [.listening]),
    Key(
      "name-requests", \.nameRequests, optional: .integer(in: 3...CInt.max),
      "the socket that takes questions for names",
      when: [.listening]),
  ]

  static let generalKeys: [Key<ListenerOptions>] = [
    Key("help", \.help, .boolean, "show this text"),
    Key("version", \.version, .boolean, "show the version"),
  ]
}
