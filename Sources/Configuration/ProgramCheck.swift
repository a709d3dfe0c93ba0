import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// Finds out before any client comes whether programs can be executed by the user that they will run as.
///
/// Source: path_resolution(7), execve(2).
struct ProgramCheck {
  /// Bits of a file's mode, for others.
  private enum Permission: mode_t {
    case execute = 0o1
    case read = 0o4
  }

  let identity: Identity
  /// Whether root's programs keep its capabilities, which open all files.
  var keepsCapabilities = true
  /// Whether it is the user who looks: one that may not look at another's files cannot say that the other may not.
  var isOwn = true
  /// The user's name where that is a service's own.
  var ownUser: String?

  /// Notes what is wrong with the programs of a service.
  func check(_ settings: ServiceSettings, _ mode: ServiceMode, _ keys: ServiceKeys, problems: inout ProblemCollector) {
    func note(_ key: String, _ steps: [ValueProblem.Step], _ message: String?) {
      guard let message, let setting = keys[key] else { return }
      problems.add(setting.problem(steps.reduce(ValueProblem(message)) { $0.within($1) }))
    }
    switch mode.offer {
    case .program:
      note(
        "exec", [.element(0)], settings.exec.first.flatMap { fault(of: $0) ?? missingReach(of: $0, settings.program) })
    case .builtIn(.command):
      for command in settings.commands {
        note(
          "commands", [.element(0), .member(command.name)],
          command.words.first.flatMap { fault(of: $0) ?? missingReach(of: $0, settings.program) })
      }
      if settings.commands.isEmpty { return }
    case .builtIn: return
    }
    let directory = settings.program.workingDirectory
    note(
      "working-directory", [],
      closedDirectory(on: directory + "/").map { "\(user) may not enter \(printable($0))" })
  }

  /// Why it cannot be executed; nil when it can.
  func fault(of path: String) -> String? {
    let shown = printable(path)
    let status: stat
    do throws(SystemCallError) { status = try FileSystem.status(of: path) } catch {
      return isHidden(error) ? nil : "\(shown): \(error.code)"
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let kind = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not a regular file"
      return "\(shown): expected a program, found \(kind)"
    }
    if let closed = closedDirectory(on: path) {
      return "\(shown): \(user) may not enter \(printable(closed)); set user or change the directory's mode"
    }
    guard may(.execute, status) else {
      return "\(shown): \(user) may not execute it; set user or change its mode \(ProgramCheck.modeText(status))"
    }
    let head = ProgramHead(of: path)
    guard let interpreter = head?.interpreter else {
      return head?.isText ?? false ? "\(shown): has no #! line, so that the kernel cannot execute it" : nil
    }
    guard may(.read, status) else {
      return
        "\(shown): \(user) may not read it, as its interpreter must; change its mode \(ProgramCheck.modeText(status))"
    }
    return interpreterFault(interpreter).map { "\(shown): its interpreter \($0)" }
  }

  /// Why the settings' own rules keep it from being executed; nil when they do not.
  private func missingReach(of path: String, _ settings: ProgramSettings) -> String? {
    guard settings.restrictsFiles, let interpreter = ProgramHead(of: path)?.interpreter,
      let real = FileSystem.realPath(interpreter)
    else { return nil }
    let reach = settings.readOnlyPaths + settings.readWritePaths + ProgramSettings.alwaysReadable
    guard !FileSystem.isBelow(real, anyOf: reach.compactMap(FileSystem.realPath)) else { return nil }
    return "\(printable(path)): its interpreter \(printable(interpreter)) is in neither read-only-paths nor "
      + "read-write-paths; add \(quoted(interpreter)), or the directory with all that it needs, to read-only-paths"
  }

  private func interpreterFault(_ path: String) -> String? {
    guard path.hasPrefix("/") else { return "is \(quoted(path)): expected an absolute path after #!" }
    let status: stat
    do throws(SystemCallError) { status = try FileSystem.status(of: path) } catch {
      return isHidden(error) ? nil : "\(printable(path)): \(error.code)"
    }
    guard status.st_mode & S_IFMT == S_IFREG else { return "\(printable(path)): not a regular file" }
    return may(.execute, status) ? nil : "\(printable(path)): \(user) may not execute it"
  }

  /// Whether the file is in a directory that is closed to the user who looks, and may be open to the other one.
  private func isHidden(_ failure: SystemCallError) -> Bool { failure.code == .permissionDenied && !isOwn }

  /// The first directory on the way to a file that may not be passed, links resolved.
  private func closedDirectory(on path: String) -> String? {
    guard let real = FileSystem.realPath(path) else { return nil }
    let whole = real + (path.hasSuffix("/") ? "/" : "")
    for slash in whole.indices where whole[slash] == "/" {
      let directory = slash == whole.startIndex ? "/" : String(whole[..<slash])
      if let status = try? FileSystem.status(of: directory), !may(.execute, status) { return directory }
    }
    return nil
  }

  private func may(_ permission: Permission, _ status: stat) -> Bool {
    if identity.user == 0, keepsCapabilities {
      return permission == .read || status.st_mode & S_IFMT == S_IFDIR || status.st_mode & 0o111 != 0
    }
    let bit = permission.rawValue
    if status.st_uid == identity.user { return status.st_mode & (bit << 6) != 0 }
    if status.st_gid == identity.group || identity.groups.contains(status.st_gid) {
      return status.st_mode & (bit << 3) != 0
    }
    return status.st_mode & bit != 0
  }

  private var user: String { ownUser ?? printable(Users.name(of: identity.user) ?? "user \(identity.user)") }

  private static func modeText(_ status: stat) -> String { "0" + String(status.st_mode & 0o7777, radix: 8) }
}
