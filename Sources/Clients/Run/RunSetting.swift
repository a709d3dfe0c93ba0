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

  /// - Parameter userName: a name or number; nil is the caller.
  init(user userName: String?, directory: String?, cleaningEnvironment: Bool) throws(Refusal) {
    let user = try userName.map { name throws(Refusal) in try Self.find(name) }
    identity = user?.identity
    // A change of directory asks whether this user may be here, which nothing has asked yet.
    self.directory = directory ?? (user == nil ? nil : ".")
    if user != nil || cleaningEnvironment {
      guard let user = user ?? Users.find(geteuid()) else {
        throw Refusal(description: "user \(geteuid()) is not in the user database: there is nothing to make HOME of")
      }
      environment = Self.variables(of: user).map { Array($0.utf8) }
      searchPath = ProgramSettings.searchPath
    } else {
      environment = nil
      searchPath = UserCommand.searchPath
    }
  }

  private static func find(_ name: String) throws(Refusal) -> User {
    guard geteuid() == 0 else {
      throw Refusal(description: "only root may run commands as another user: leave --user out, or start it as root")
    }
    guard let user = Users.find(name) else { throw Refusal(description: "there is no user \(name)") }
    return user
  }

  static func variables(of user: User) -> [String] {
    let terminal = getenv("TERM").map { ["TERM=\(String(cString: $0))"] } ?? []
    return [
      "HOME=\(user.homeDirectory)", "USER=\(user.name)", "LOGNAME=\(user.name)", "SHELL=\(user.shell)",
      "PATH=\(ProgramSettings.searchPath)",
    ] + terminal
  }

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
    let place = isCallers ? FilePath.workingDirectory ?? "." : directory ?? "."
    let advice = isCallers ? ": the user may not be here; name another place with --directory" : ""
    return Refusal(description: "chdir \(place): \(failure.code)\(advice)")
  }
}

/// Source: getcwd(3).
private enum FilePath {
  static var workingDirectory: String? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }
}
