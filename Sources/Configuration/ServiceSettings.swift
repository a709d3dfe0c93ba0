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
  private(set) var mentioned: Set<String> = []

  private(set) var isEnabled: Bool?
  private(set) var serve: BuiltIn?
  private(set) var streams: Placed<[ListenAddress]>?
  private(set) var datagrams: Placed<[ListenAddress]>?
  private(set) var socketMode: mode_t?
  private(set) var socketUser: Placed<User>?
  private(set) var socketGroup: gid_t?
  private(set) var backlog: CInt?
  private(set) var user: Placed<User>?
  private(set) var group: Placed<gid_t>?
  private(set) var maxConnections: Int?
  private(set) var firstByteTimeout: TimeLimit?
  private(set) var idleTimeout: TimeLimit?
  private(set) var keepsAlive: Bool?
  private(set) var resolvesNames: Bool?
  private(set) var log: ConnectionLog?
  private(set) var fortune: Placed<FortuneSettings>?

  init() {}

  init(_ table: Setting, runtimeDirectory: String, problems: inout ProblemCollector) {
    if case .table(let entries) = table.value { mentioned = Set(entries.map(\.name)) }
    for (key, setting) in problems.entries(of: table, ServiceKey.self) {
      switch key {
      case .enabled: isEnabled = problems.collect(try setting.boolean())
      case .serve: serve = problems.collect(try setting.choice())
      case .listenStream: streams = setting.addresses(.tcp, runtimeDirectory, problems: &problems)
      case .listenDatagram: datagrams = setting.addresses(.udp, runtimeDirectory, problems: &problems)
      case .socketMode: socketMode = problems.collect(try setting.mode())
      case .socketUser: socketUser = problems.collect(try setting.user())
      case .socketGroup: socketGroup = problems.collect(try setting.group().value)
      case .backlog: backlog = problems.collect(CInt(try setting.integer(in: 1...65_535)))
      case .user: user = problems.collect(try setting.user())
      case .group: group = problems.collect(try setting.group())
      case .maxConnections: maxConnections = problems.collect(try setting.integer(in: 1...1_000_000))
      case .firstByteTimeout: firstByteTimeout = problems.collect(try setting.timeLimit())
      case .idleTimeout: idleTimeout = problems.collect(try setting.timeLimit())
      case .keepAlive: keepsAlive = problems.collect(try setting.boolean())
      case .resolveNames: resolvesNames = problems.collect(try setting.boolean())
      case .log: log = problems.collect(try setting.choice())
      case .fortune: fortune = Placed(value: FortuneSettings(setting, problems: &problems), setting: setting)
      }
    }
  }
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

extension Setting {
  /// All addresses that are right; nil when the list is none.
  fileprivate func addresses(
    _ transport: Transport, _ runtimeDirectory: String, problems: inout ProblemCollector
  ) -> ServiceSettings.Placed<[ListenAddress]>? {
    guard let texts = problems.collect(try strings("addresses")) else { return nil }
    let reader = AddressReader(transport: transport, runtimeDirectory: runtimeDirectory)
    var addresses: [ListenAddress] = []
    for text in texts {
      do throws(AddressReader.Refusal) {
        addresses += try reader.read(text)
      } catch { problems.add(problem(error.message)) }
    }
    return ServiceSettings.Placed(value: addresses, setting: self)
  }

  fileprivate func databases(problems: inout ProblemCollector) -> [String]? {
    guard let paths = problems.collect(try strings("absolute paths")) else { return nil }
    for path in paths {
      guard path.hasPrefix("/") else {
        problems.add(problem("expected an absolute path, found \(quoted(path))"))
        continue
      }
      do throws(CallFailure) {
        _ = try FileSystem.facts(of: path)
      } catch { problems.add(problem("\(printable(path)): \(error.errno)")) }
    }
    return paths
  }

  fileprivate func mode() throws(ConfigurationProblem) -> mode_t {
    let wanted = "permissions in octal digits such as \"0666\""
    let text = try string(wanted)
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
      let mode = mode_t(text, radix: 8), mode <= 0o777
    else { throw unexpected(wanted) }
    return mode
  }

  fileprivate func user() throws(ConfigurationProblem) -> ServiceSettings.Placed<User> {
    let text = try string("a user's name or number in quotes")
    guard let user = Users.find(text) else { throw problem("no user \(quoted(text)) on this machine") }
    return ServiceSettings.Placed(value: user, setting: self)
  }

  fileprivate func group() throws(ConfigurationProblem) -> ServiceSettings.Placed<gid_t> {
    let text = try string("a group's name or number in quotes")
    guard let group = Users.findGroup(text), group != gid_t.max else {
      throw problem("no group \(quoted(text)) on this machine")
    }
    return ServiceSettings.Placed(value: group, setting: self)
  }
}
