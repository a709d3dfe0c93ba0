import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Paths for `read-only-paths` with which a service's programs probably work, found without starting any of them.
struct PathProposal {
  /// Directories and files, none of them below another one.
  private(set) var paths: [String] = []

  /// - Parameter login: the user's variables, if the programs get them.
  init(_ settings: ServiceSettings, login: LoginEnvironment?) {
    for directory in ["/usr", "/bin", "/sbin", "/etc"] { add(directory) }
    for words in [settings.exec] + settings.commands.map(\.words) {
      guard let program = words.first else { continue }
      addDirectory(of: program)
      if let interpreter = ProgramHead(of: program)?.interpreter { addDirectory(of: interpreter) }
      for word in words.dropFirst() { addArgument(word) }
    }
    add(settings.program.workingDirectory)
    if let login { add(login.homeDirectory) }
  }

  /// A file or directory that is named whole, or as the value of an option.
  private mutating func addArgument(_ word: String) {
    if word.hasPrefix("/") { return add(word) }
    guard word.hasPrefix("-"), let sign = word.firstIndex(of: "=") else { return }
    add(String(word[word.index(after: sign)...]))
  }

  /// Programs lie beside what they need.
  private mutating func addDirectory(of program: String) {
    guard let real = FileSystem.realPath(program), let slash = real.lastIndex(of: "/") else { return }
    add(String(real[..<slash]))
  }

  private mutating func add(_ path: String) {
    guard path.hasPrefix("/"), path != "/", let real = FileSystem.realPath(path), real != "/",
      let kind = try? FileSystem.status(of: real).st_mode & S_IFMT, kind == S_IFDIR || kind == S_IFREG,
      !FileSystem.isBelow(real, anyOf: paths + ["/proc", "/dev"])
    else { return }
    paths.removeAll { FileSystem.isBelow($0, anyOf: [real]) }
    paths.append(real)
  }

  /// A line of the configuration, in parts between which a page's line may end.
  var parts: [String] {
    let texts = paths.map { RawValue.string($0).toml }
    return ["read-only-paths", "="]
      + texts.enumerated().map { index, text in
        (index == 0 ? "[" : "") + text + (index == texts.count - 1 ? "]" : ",")
      }
  }
}

extension Configuration {
  /// Paths for the services whose programs no rule keeps from files; empty if there are none.
  func pathProposals(width: Int) -> String {
    let services = services.filter { service in
      service.settings.enabled && service.runsPrograms && service.settings.isConfined
        && !service.settings.program.restrictsFiles
    }
    guard !services.isEmpty else { return "" }
    let rows = services.map {
      (name: $0.name, parts: PathProposal($0.settings, login: $0.loginEnvironment).parts)
    }
    return TextTable.aligned(
      [["SERVICE", "COULD BE CONFINED BY"]] + TextTable.wrappingLast(rows, width: width))
  }
}
