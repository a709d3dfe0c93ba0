/// The variables that describe the user of a process, for programs that expect a login.
///
/// Source: login(1), environ(7).
public struct LoginEnvironment: Hashable, Sendable {
  public let userName: String
  public let homeDirectory: String
  public let shell: String

  public init(userName: String, homeDirectory: String, shell: String) {
    self.userName = userName
    self.homeDirectory = homeDirectory
    self.shell = shell
  }

  /// The variables of a user that has no entry of its own.
  public init(number: UInt32) { self.init(userName: String(number), homeDirectory: "/", shell: "/bin/sh") }

  public var variables: [EnvironmentVariable] {
    [
      EnvironmentVariable("HOME", homeDirectory), EnvironmentVariable("USER", userName),
      EnvironmentVariable("LOGNAME", userName), EnvironmentVariable("SHELL", shell),
    ]
  }
}

extension ProgramSettings {
  /// Puts a user's variables before those that are set, which take their place.
  public mutating func addLoginEnvironment(_ login: LoginEnvironment) {
    let own = Set(environment.map(\.name))
    environment = login.variables.filter { !own.contains($0.name) } + environment
  }
}
