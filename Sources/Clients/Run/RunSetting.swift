import Confinement
import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// The user, directory and variables with which `begat run` runs commands.
struct RunSetting {
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// Nil is the caller's.
  let identity: Identity?
  /// Nil is the caller's.
  let environment: [[UInt8]]?
  let searchPath: String?
  /// Nil stays where the caller is.
  let directory: String?

  /// - Parameter userText: `USER` or `USER:GROUP`, names or numbers; nil is the caller.
  /// - Parameter groupText: the primary group; nil is the user's.
  init(user userText: String?, group groupText: String?, directory: String?, cleaningEnvironment: Bool) throws(Refusal)
  {
    let account: Account?
    var group: gid_t?
    do throws(Account.LookupError) {
      account = try userText.map(Account.init)
      group = try groupText.map(Account.group)
    } catch { throw Refusal(description: error.description) }
    if let inner = account?.group, inner != group ?? inner {
      throw Refusal(description: "--group contradicts --user \(escaped((userText ?? "").utf8)): leave one group out")
    }
    group = group ?? account?.group
    let user = account?.user
    let base = user?.identity ?? .effective
    identity = user == nil && group == nil ? nil : base.with(group: group)
    try Self.checkPrivileges(identity)
    // A change of directory asks whether this user may be here, which nothing has asked yet.
    self.directory = directory ?? (user == nil ? nil : ".")
    if user != nil || cleaningEnvironment {
      let user = user ?? Users.find(geteuid()) ?? User(unlisted: geteuid())
      environment = Self.variables(of: user).map { Array($0.utf8) }
      searchPath = ProgramSettings.searchPath
    } else {
      environment = nil
      searchPath = UserCommand.searchPath
    }
  }

  private static func checkPrivileges(_ identity: Identity?) throws(Refusal) {
    guard let identity, identity.user != geteuid() || identity.group != getegid(),
      !Capabilities.effective.contains(.becomeOthers)
    else { return }
    throw Refusal(
      description:
        "running commands as another user or group needs root, or CAP_SETUID and CAP_SETGID: leave out --user and "
        + "--group, or use sudo")
  }

  static func variables(of user: User) -> [String] {
    let terminal = getenv("TERM").map { ["TERM=\(String(cString: $0))"] } ?? []
    let login = LoginEnvironment(userName: user.name, homeDirectory: user.homeDirectory, shell: user.shell)
    return login.variables.map(\.entry) + ["PATH=\(ProgramSettings.searchPath)"] + terminal
  }

  /// Whether the commands run as a user that may not do all that the caller may.
  var isAnotherUsers: Bool { identity.map { $0.user != geteuid() } ?? false }

  /// Makes the calling process what the command shall be.
  func apply() throws(SystemCallError) {
    try identity?.become()
    guard let directory else { return }
    if chdir(directory) == -1 { throw SystemCallError("chdir", on: directory, code: ErrorCode(rawValue: errno)) }
  }

  /// The same for a start of another process.
  func program(_ command: UserCommand) throws(SystemCallError) -> Program {
    var program = try command.program(
      searchPath: searchPath, environment: environment.map { Program.Environment(entries: $0) } ?? .inherited,
      directory: directory)
    program.identity = identity
    return program
  }

  /// What a directory that cannot be entered means to the user.
  func refusal(_ failure: SystemCallError) -> Refusal {
    let isCallers = directory == "."
    let place = isCallers ? WorkingDirectory.path ?? "." : directory ?? "."
    let advice = isCallers ? ": the user may not be here; name another place with --directory" : ""
    return Refusal(description: "chdir \(place): \(failure.code)\(advice)")
  }
}
