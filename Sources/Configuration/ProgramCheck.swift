import ControlProtocol
import Glibc
import NameService
import UnixIPC

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
  func check(_ settings: LayeredSettings, _ offer: Offer, problems: inout ProblemCollector) {
    switch offer {
    case .program:
      guard let path = settings.exec?.first, let setting = settings.setting(.exec) else { return }
      if let fault = fault(of: path) { problems.add(setting.problem(fault)) }
    case .builtIn(.command):
      let commands = settings.commands ?? []
      guard !commands.isEmpty else { return }
      for command in commands {
        if let path = command.value.words.first, let fault = fault(of: path) {
          problems.add(command.setting.problem(fault))
        }
      }
    case .builtIn: return
    }
    if let directory = settings.workingDirectory, let closed = closedDirectory(on: directory.value + "/") {
      problems.add(directory.setting.problem("\(user) may not enter \(printable(closed))"))
    }
  }

  /// Why it cannot be executed; nil when it can.
  func fault(of path: String) -> String? {
    let shown = printable(path)
    let facts: stat
    do throws(CallFailure) { facts = try FileSystem.facts(of: path) } catch { return "\(shown): \(error.errno)" }
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
    guard let interpreter = interpreter(of: path) else { return nil }
    guard may(.read, facts) else {
      return
        "\(shown): \(user) may not read it, as its interpreter must; change its mode \(ProgramCheck.modeText(facts))"
    }
    return interpreterFault(interpreter).map { "\(shown): its interpreter \($0)" }
  }

  private func interpreterFault(_ path: String) -> String? {
    guard path.hasPrefix("/") else { return "is \(quoted(path)): expected an absolute path after #!" }
    let facts: stat
    do throws(CallFailure) { facts = try FileSystem.facts(of: path) } catch {
      return "\(printable(path)): \(error.errno)"
    }
    guard facts.st_mode & S_IFMT == S_IFREG else { return "\(printable(path)): not a regular file" }
    return may(.execute, facts) ? nil : "\(printable(path)): \(user) may not execute it"
  }

  /// The path behind `#!` in a script's first line; nil for other programs and those that cannot be looked into.
  private func interpreter(of path: String) -> String? {
    guard let descriptor = try? Descriptor.open(path, O_RDONLY | O_NONBLOCK),
      let head = try? FileSystem.content(of: descriptor, at: path, atMost: 256), head.starts(with: "#!".utf8)
    else { return nil }
    let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    return String(decoding: line.drop(while: isBlank).prefix { !isBlank($0) && $0 != 0 }, as: UTF8.self)
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
