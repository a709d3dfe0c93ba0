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

  /// Notes what is wrong with the programs of a service.
  func check(_ settings: ServiceSettings, _ mode: ServiceMode, _ keys: ServiceKeys, problems: inout ProblemCollector) {
    func note(_ key: String, _ steps: [ValueProblem.Step], _ message: String?) {
      guard let message, let setting = keys[key] else { return }
      problems.add(setting.problem(steps.reduce(ValueProblem(message)) { $0.within($1) }))
    }
    switch mode.offer {
    case .program: note("exec", [.element(0)], settings.exec.first.flatMap(fault))
    case .builtIn(.command):
      for command in settings.commands {
        note("commands", [.element(0), .member(command.name)], command.words.first.flatMap(fault))
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
    let facts: stat
    do throws(SystemCallError) { facts = try FileSystem.facts(of: path) } catch { return "\(shown): \(error.code)" }
    guard facts.st_mode & S_IFMT == S_IFREG else {
      let kind = facts.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not a regular file"
      return "\(shown): expected a program, found \(kind)"
    }
    if let closed = closedDirectory(on: path) {
      return "\(shown): \(user) may not enter \(printable(closed)); set user or change the directory's mode"
    }
    guard may(.execute, facts) else {
      return "\(shown): \(user) may not execute it; set user or change its mode \(ProgramCheck.modeText(facts))"
    }
    let head = head(of: path)
    guard let interpreter = head.flatMap(interpreter) else {
      return head.map(isText) ?? false ? "\(shown): has no #! line, so that the kernel cannot execute it" : nil
    }
    guard may(.read, facts) else {
      return
        "\(shown): \(user) may not read it, as its interpreter must; change its mode \(ProgramCheck.modeText(facts))"
    }
    return interpreterFault(interpreter).map { "\(shown): its interpreter \($0)" }
  }

  private func interpreterFault(_ path: String) -> String? {
    guard path.hasPrefix("/") else { return "is \(quoted(path)): expected an absolute path after #!" }
    let facts: stat
    do throws(SystemCallError) { facts = try FileSystem.facts(of: path) } catch {
      return "\(printable(path)): \(error.code)"
    }
    guard facts.st_mode & S_IFMT == S_IFREG else { return "\(printable(path)): not a regular file" }
    return may(.execute, facts) ? nil : "\(printable(path)): \(user) may not execute it"
  }

  /// The first bytes of a program; nil where it cannot be read.
  private func head(of path: String) -> [UInt8]? {
    guard let descriptor = try? Descriptor.open(path, [.readOnly, .nonBlocking]) else { return nil }
    return try? FileSystem.content(of: descriptor, at: path, atMost: 256)
  }

  /// The path behind `#!` in a script's first line; nil for other programs.
  private func interpreter(in head: [UInt8]) -> String? {
    guard head.starts(with: "#!".utf8) else { return nil }
    let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    return String(decoding: line.drop(while: isBlank).prefix { !isBlank($0) && $0 != 0 }, as: UTF8.self)
  }

  /// Whether a file begins as text does: formats that the kernel executes have bytes that text has not.
  private func isText(_ head: [UInt8]) -> Bool {
    head.allSatisfy { $0 >= 0x20 || (0x09...0x0d).contains($0) }
  }

  /// The first directory on the way to a file that may not be passed, links resolved.
  private func closedDirectory(on path: String) -> String? {
    guard let native = realpath(path, nil) else { return nil }
    defer { free(native) }
    let whole = String(cString: native) + (path.hasSuffix("/") ? "/" : "")
    for slash in whole.indices where whole[slash] == "/" {
      let directory = slash == whole.startIndex ? "/" : String(whole[..<slash])
      if let facts = try? FileSystem.facts(of: directory), !may(.execute, facts) { return directory }
    }
    return nil
  }

  private func may(_ permission: Permission, _ facts: stat) -> Bool {
    if identity.user == 0 {
      return permission == .read || facts.st_mode & S_IFMT == S_IFDIR || facts.st_mode & 0o111 != 0
    }
    let bit = permission.rawValue
    if facts.st_uid == identity.user { return facts.st_mode & (bit << 6) != 0 }
    if facts.st_gid == identity.group || identity.groups.contains(facts.st_gid) {
      return facts.st_mode & (bit << 3) != 0
    }
    return facts.st_mode & bit != 0
  }

  private var user: String { printable(Users.find(String(identity.user))?.name ?? "user \(identity.user)") }

  private static func modeText(_ facts: stat) -> String { "0" + String(facts.st_mode & 0o7777, radix: 8) }
}
