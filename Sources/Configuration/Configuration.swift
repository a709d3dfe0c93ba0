import UnixIPC

/// All settings of begatd, checked.
public struct Configuration: Sendable {
  public var daemon: DaemonConfiguration
  /// All services, disabled ones as well, in the order of the files.
  public var services: [ServiceConfiguration]
  /// What is allowed and probably not meant.
  public var warnings: [ConfigurationProblem]
  /// The main file or `built-in default`.
  public var source: String

  /// Reads and checks the configuration whole.
  ///
  /// - Parameter file: nil means `/etc/begat/begatd.toml` or, where that is missing, the embedded text.  To a file belong
  ///   those of the directory `conf.d` beside it.
  /// - Throws: every problem of all files.
  public static func load(file: String?) throws(ConfigurationProblems) -> Configuration {
    try load(file: file, in: .actual)
  }

  /// The annotated configuration that is used where there is no file.
  public static var embeddedText: String { String(decoding: PackageResources.begatd_toml, as: UTF8.self) }

  static let noService = "no service to offer; define one, or enable one"
  static let embeddedName = "built-in default"

  static func load(
    file: String?, in surroundings: Surroundings
  ) throws(ConfigurationProblems) -> Configuration {
    var problems = ProblemCollector()
    let texts = ConfigurationFiles(surroundings: surroundings).read(file, problems: &problems)
    let embedded = ConfigurationFiles.Text(file: embeddedName, bytes: PackageResources.begatd_toml)
    let source = texts == nil ? embeddedName : file ?? surroundings.systemFile
    return try read(texts ?? [embedded], source: source, in: surroundings, problems: problems)
  }

  /// - Parameter problems: those of reading the files.
  static func read(
    _ texts: [ConfigurationFiles.Text], source: String, in surroundings: Surroundings,
    problems: ProblemCollector = ProblemCollector()
  ) throws(ConfigurationProblems) -> Configuration {
    var problems = problems
    var documents: [Document] = []
    for text in texts {
      let document = problems.collect(try Document(file: text.file, bytes: text.bytes))
      if let document { documents.append(document) }
    }
    let tables = ConfigurationTables(documents, problems: &problems)
    let daemon = DaemonConfiguration(tables.daemon, problems: &problems)
    let defaults = tables.defaults.map {
      ServiceSettings($0, runtimeDirectory: surroundings.runtimeDirectory, problems: &problems)
    }
    let resolver = ServiceResolver(surroundings: surroundings, defaults: defaults ?? ServiceSettings())
    var services: [ServiceConfiguration] = []
    var use = AddressUse()
    for table in tables.services {
      guard let service = resolver.resolve(table, problems: &problems) else { continue }
      use.claim(service, problems: &problems)
      services.append(service.configuration)
    }
    if problems.problems.isEmpty, !services.contains(where: \.isEnabled) {
      problems.add(ConfigurationProblem(file: source, message: noService))
    }
    guard problems.problems.isEmpty else { throw ConfigurationProblems(problems: problems.problems) }
    return Configuration(daemon: daemon, services: services, warnings: warnings(services), source: source)
  }

  private static func warnings(_ services: [ServiceConfiguration]) -> [ConfigurationProblem] {
    services.filter { $0.isEnabled && $0.identity?.user == 0 }.map { service in
      ConfigurationProblem(
        file: service.place.file, line: service.place.line, key: keyText(["service", service.name]),
        message: "serves as root; set user")
    }
  }
}
