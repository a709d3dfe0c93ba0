import Settings
@_spi(Begat) import UnixCore

/// All settings of begatd, checked.
public struct Configuration: Sendable {
  public var daemon: DaemonSettings
  /// Nil where there shall be none.
  public var control: ControlSockets?
  /// All services, disabled ones as well, in the order of the files.
  public var services: [ServiceConfiguration]
  /// The user that looks up names of hosts.
  public var resolver: ResolverUser
  /// What is allowed and probably not meant.
  public var warnings: [ConfigurationProblem]
  /// The main file or `built-in default`.
  public var source: String

  /// Reads and checks the configuration whole.
  ///
  /// - Parameter file: nil means the user's own file, else `/etc/begat/begatd.toml` or, where both are missing, the embedded
  ///   text.  The files of the directory `conf.d` beside it are read with it.
  /// - Parameter acceptsStreams: whether it may be `-`, for standard input, or a pipe, which is read to its end.
  /// - Parameter identities: remembers the users of services; nil for the file that begatd remembers them in, which is
  ///   then not changed.
  /// - Throws: every problem of all files.
  public static func load(
    file: String?, acceptsStreams: Bool = false, identities: IdentityKeeper? = nil
  ) throws(ConfigurationProblems) -> Configuration {
    try load(file: file, acceptsStreams: acceptsStreams, in: .actual(identities))
  }

  /// The annotated configuration that is used where there is no file.
  public static var embeddedText: String { String(decoding: PackageResources.begatd_toml, as: UTF8.self) }

  static let noService = "no service to offer; define one, or enable one"
  static let embeddedName = "built-in default"

  static func load(
    file: String?, acceptsStreams: Bool = false, in surroundings: Surroundings
  ) throws(ConfigurationProblems) -> Configuration {
    var problems = ProblemCollector()
    let files = ConfigurationFiles(surroundings: surroundings, acceptsStreams: acceptsStreams)
    let main = file ?? files.usualFile
    let texts =
      main.map { files.read($0, problems: &problems) }
      ?? [ConfigurationFiles.Text(file: embeddedName, bytes: PackageResources.begatd_toml)]
    let configuration = try read(texts, source: main ?? embeddedName, in: surroundings, problems: problems)
    let directories = SocketDirectoryCheck(runtimeDirectory: surroundings.runtimeDirectory)
    try refuse(directories.problems(of: configuration.services))
    return configuration
  }

  /// - Parameter problems: those of reading the files.
  static func read(
    _ texts: [ConfigurationFiles.Text], source: String, in surroundings: Surroundings,
    problems: ProblemCollector = ProblemCollector()
  ) throws(ConfigurationProblems) -> Configuration {
    var problems = problems
    let tables = ConfigurationTables(texts, problems: &problems)
    var daemon = DaemonSettings()
    let daemonReader = TableReader<DaemonSettings>(
      elsewhere: ["[service.NAME] or [defaults]": ServiceSettings.keys.map(\.name)])
    let daemonKeys = daemonReader.read(tables.daemon, into: &daemon, problems: &problems)
    let control = ControlSockets.resolve(
      daemon, daemonKeys, runtimeDirectory: surroundings.runtimeDirectory, problems: &problems)
    let identities = OwnIdentities(tables, in: daemon.identityRange, surroundings)
    let resolver = ServiceResolver(
      surroundings: surroundings, identities: identities, defaults: tables.defaults, problems: &problems)
    var services: [ServiceConfiguration] = []
    var use = AddressUse()
    for table in tables.services {
      guard let service = resolver.resolve(table, problems: &problems) else { continue }
      use.claim(service, problems: &problems)
      services.append(service.configuration)
    }
    if let problem = rootProblem(services, surroundings) { problems.add(problem) }
    if problems.isEmpty, !services.contains(where: \.settings.enabled) {
      problems.add(ConfigurationProblem(file: source, message: noService))
    }
    guard problems.isEmpty else { throw ConfigurationProblems(problems: problems.sorted) }
    try refuse(CommandLineCheck(room: surroundings.argumentRoom).problems(of: services))
    let warnings =
      ConfigurationWarnings(services, choosesUsers: surroundings.choosesUsers).all + identities.warnings(for: services)
      + identities.keep()
    return Configuration(
      daemon: daemon, control: control, services: services, resolver: identities.resolver, warnings: warnings,
      source: source)
  }

  /// The services that would run as root although they have no user: what a begatd of root without the capabilities for
  /// another user would make of them.
  private static func rootProblem(
    _ services: [ServiceConfiguration], _ surroundings: Surroundings
  ) -> ConfigurationProblem? {
    guard surroundings.isRoot, !surroundings.choosesUsers else { return nil }
    let unnamed = services.filter { $0.settings.enabled && $0.origins["user"] == nil }
    guard let first = unnamed.first else { return nil }
    let others = unnamed.count - 1
    let subject = others == 0 ? "" : "this service and \(others) other\(others == 1 ? "" : "s") "
    return ConfigurationProblem(
      at: first.place, key: keyText(["service", first.name]),
      message: subject + "would serve as root, because begatd lacks "
        + "\(surroundings.missingForUsers.joined(separator: " and ")): start begatd with CAP_SETUID and CAP_SETGID or as "
        + "another user, or set user = \"root\"")
  }

  private static func refuse(_ problems: [ConfigurationProblem]) throws(ConfigurationProblems) {
    var collector = ProblemCollector()
    for problem in problems { collector.add(problem) }
    guard collector.isEmpty else { throw ConfigurationProblems(problems: collector.sorted) }
  }
}
