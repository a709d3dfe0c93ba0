import Admission
import ControlProtocol
import Glibc
import NameService
import UnixIPC

/// What one table says of a service, `[service.NAME]` or `[defaults]`; nil where it says nothing, or nothing right.
struct ServiceSettings {
  /// A value, and the setting to blame where it turns out not to fit.
  struct Placed<Value> {
    let value: Value
    let setting: Setting
  }

  /// Every key of the table, right or wrong: what is there and wrong is not also missing.
  private var settings: [String: Setting] = [:]

  private(set) var isEnabled: Bool?
  private(set) var serve: BuiltIn?
  private(set) var exec: [String]?
  private(set) var streams: [Placed<ListenAddress>]?
  private(set) var datagrams: [Placed<ListenAddress>]?
  private(set) var socketMode: mode_t?
  private(set) var socketUser: Placed<User>?
  private(set) var socketGroup: gid_t?
  private(set) var backlog: CInt?
  private(set) var bindsFreely: Bool?
  private(set) var device: String?
  private(set) var user: Placed<User>?
  private(set) var group: Placed<gid_t>?
  private(set) var maxConnections: Int?
  private(set) var maxConnectionsPerSource: Int?
  private(set) var rate: Bound<RateLimit>?
  private(set) var ratePerSource: Bound<RateLimit>?
  private(set) var sourcePrefix: SourcePrefix?
  private(set) var whenFull: WhenFull?
  private(set) var refusal: String?
  private(set) var allow: [Placed<AccessEntry>]?
  private(set) var deny: [Placed<AccessEntry>]?
  private(set) var firstByteTimeout: Bound<Duration>?
  private(set) var idleTimeout: Bound<Duration>?
  private(set) var maxDuration: Bound<Duration>?
  private(set) var keepsAlive: Bool?
  private(set) var relay: Bool?
  private(set) var wait: Bool?
  private(set) var environment: [String]?
  private(set) var workingDirectory: Placed<String>?
  private(set) var umask: UInt32?
  private(set) var nice: Placed<CInt>?
  private(set) var limitMemory: UInt64?
  private(set) var limitCPU: UInt64?
  private(set) var limitOpenFiles: UInt64?
  private(set) var limitProcesses: UInt64?
  private(set) var resolvesNames: Bool?
  private(set) var log: ConnectionLog?
  private(set) var fortune: FortuneSettings?
  private(set) var commands: [Placed<AddedCommand>]?

  init() {}

  init(_ table: Setting, runtimeDirectory: String, problems: inout ProblemCollector) {
    for (key, setting) in problems.entries(of: table, ServiceKey.self) {
      settings[key.rawValue] = setting
      switch key {
      case .enabled: isEnabled = problems.collect(try setting.boolean())
      case .serve: serve = problems.collect(try setting.choice())
      case .exec: exec = problems.collect(try setting.programWords())
      case .listenStream: streams = setting.addresses(.tcp, runtimeDirectory, problems: &problems)
      case .listenDatagram: datagrams = setting.addresses(.udp, runtimeDirectory, problems: &problems)
      case .socketMode: socketMode = problems.collect(try setting.mode(such: "0666"))
      case .socketUser: socketUser = problems.collect(try setting.user())
      case .socketGroup: socketGroup = problems.collect(try setting.group().value)
      case .backlog: backlog = problems.collect(CInt(try setting.integer(in: 1...65_535)))
      case .freeBind: bindsFreely = problems.collect(try setting.boolean())
      case .bindToDevice: device = problems.collect(try setting.device())
      case .user: user = problems.collect(try setting.user())
      case .group: group = problems.collect(try setting.group())
      case .maxConnections: maxConnections = problems.collect(try setting.integer(in: 1...1_000_000))
      case .maxConnectionsPerSource: maxConnectionsPerSource = problems.collect(try setting.integer(in: 1...1_000_000))
      case .rate: rate = problems.collect(try setting.rate())
      case .ratePerSource: ratePerSource = problems.collect(try setting.rate())
      case .sourcePrefix: sourcePrefix = SourcePrefix(setting, problems: &problems)
      case .whenFull: whenFull = problems.collect(try setting.choice())
      case .refusal: refusal = problems.collect(try setting.spokenLine())
      case .allow: allow = setting.accessEntries(problems: &problems)
      case .deny: deny = setting.accessEntries(problems: &problems)
      case .firstByteTimeout: firstByteTimeout = problems.collect(try setting.timeLimit())
      case .idleTimeout: idleTimeout = problems.collect(try setting.timeLimit())
      case .maxDuration: maxDuration = problems.collect(try setting.timeLimit())
      case .keepAlive: keepsAlive = problems.collect(try setting.boolean())
      case .relay: relay = problems.collect(try setting.boolean())
      case .wait: wait = problems.collect(try setting.boolean())
      case .environment: environment = setting.environment(problems: &problems)
      case .workingDirectory: workingDirectory = problems.collect(try setting.directory())
      case .umask: umask = problems.collect(try setting.mode(such: "0022"))
      case .nice: nice = problems.collect(try setting.nice())
      case .limitMemory: limitMemory = problems.collect(try setting.size())
      case .limitCPU: limitCPU = problems.collect(try setting.seconds())
      case .limitOpenFiles: limitOpenFiles = problems.collect(UInt64(try setting.integer(in: 1...Int.max)))
      case .limitProcesses: limitProcesses = problems.collect(UInt64(try setting.integer(in: 1...Int.max)))
      case .resolveNames: resolvesNames = problems.collect(try setting.boolean())
      case .log: log = problems.collect(try setting.choice())
      case .fortune: fortune = FortuneSettings(setting, problems: &problems)
      case .commands: commands = setting.commands(problems: &problems)
      }
    }
  }

  func setting(_ key: ServiceKey) -> Setting? { settings[key.rawValue] }
  func mentions(_ key: ServiceKey) -> Bool { settings[key.rawValue] != nil }
  /// Where each of its keys stands, by the key's name.
  var origins: [String: Origin] { settings.mapValues(\.origin) }
}

/// A service's own table before `[defaults]`: what the first does not say, the second does.
@dynamicMemberLookup
struct LayeredSettings {
  let own: ServiceSettings
  let defaults: ServiceSettings

  subscript<Value>(dynamicMember key: KeyPath<ServiceSettings, Value?>) -> Value? {
    own[keyPath: key] ?? defaults[keyPath: key]
  }

  /// The one that holds.
  func setting(_ key: ServiceKey) -> Setting? { own.setting(key) ?? defaults.setting(key) }
}

/// What one table `fortune` says.
struct FortuneSettings {
  private(set) var databases: [String]?
  private(set) var offensive: Bool?
  private(set) var maxLength: Int?

  init(_ table: Setting, problems: inout ProblemCollector) {
    for (key, setting) in problems.entries(of: table, FortuneKey.self) {
      switch key {
      case .databases: databases = setting.databases(problems: &problems)
      case .offensive: offensive = problems.collect(try setting.boolean())
      case .maxLength: maxLength = problems.collect(try setting.integer(in: 1...Int.max))
      }
    }
  }
}

extension SourcePrefix {
  /// What one table `source-prefix` says.
  fileprivate init(_ table: Setting, problems: inout ProblemCollector) {
    self.init()
    for (key, setting) in problems.entries(of: table, SourcePrefixKey.self) {
      switch key {
      case .ipv4: ipv4 = problems.collect(try setting.integer(in: 1...32)) ?? ipv4
      case .ipv6: ipv6 = problems.collect(try setting.integer(in: 1...128)) ?? ipv6
      }
    }
  }
}
