import Glibc
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

@Suite struct PathProposalTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func paths(_ change: (inout ServiceSettings) -> Void, login: LoginEnvironment? = nil) -> [String] {
    var settings = ServiceSettings()
    change(&settings)
    let usual: Set = ["/usr", "/etc", FileSystem.realPath("/bin"), FileSystem.realPath("/sbin")]
    return PathProposal(settings, login: login).paths.filter { !usual.contains($0) }
  }

  @Test("proposes the usual directories, each once")
  func usual() {
    var settings = ServiceSettings()
    settings.exec = ["/usr/bin/env", "/etc/passwd", "/dev/null", "/proc/self", "/", "/nonexistent"]
    let proposed = PathProposal(settings, login: nil).paths
    #expect(proposed.contains("/usr") && proposed.contains("/etc"))
    #expect(Set(proposed).isSubset(of: ["/usr", "/etc", "/bin", "/sbin"]))
  }

  @Test("proposes directories of the program and of its interpreter, and what arguments name")
  func words() throws {
    for name in ["bin", "interpreter", "data", "option", "home", "work"] {
      try directory.makeDirectory(name, mode: 0o755)
    }
    try directory.write("", to: "interpreter/run", mode: 0o755)
    try directory.write("#!\(directory["interpreter/run"]) -x\n", to: "bin/program", mode: 0o755)
    try directory.write("", to: "data/file", mode: 0o644)
    let words =
      ["bin/program", "data", "data/file"].map { directory[$0] } + [
        "--root=\(directory["option"])", "relative", "name=\(directory["home"])", "",
      ]
    #expect(paths { $0.exec = words } == ["bin", "interpreter", "data", "option"].map { directory[$0] })
    #expect(
      paths {
        $0.commands = [AddedCommand(name: "c", words: words)]
        $0.program.workingDirectory = directory["work"]
      } == ["bin", "interpreter", "data", "option", "work"].map { directory[$0] })
    let login = LoginEnvironment(userName: "x", homeDirectory: directory["home"], shell: "/bin/sh")
    #expect(paths({ $0.exec = ["/usr/bin/env"] }, login: login) == [directory["home"]])
    // A directory takes the place of what lies below it.
    #expect(paths { $0.exec = ["/usr/bin/env", directory["data/file"], directory["data"]] } == [directory["data"]])
  }

  @Test("follows links: rules are about files, not about names")
  func links() throws {
    try directory.makeDirectory("real", mode: 0o755)
    try #require(symlink(directory["real"], directory["link"]) == 0)
    #expect(paths { $0.exec = ["/usr/bin/env", directory["link"]] } == [directory["real"]])
  }

  @Test("is shown for services whose programs no rule keeps from files")
  func shown() throws {
    func text(_ lines: String) throws -> String {
      let service = "[service.x]\nlisten-stream = \"7\"\nuser = \"nobody\"\n"
      return try Configuration.sample(service + lines).effectiveSettings()
    }
    let proposal = "x        read-only-paths = [\"/usr\", "
    #expect(try text("exec = [\"/bin/cat\"]\n").contains(proposal))
    #expect(try text("exec = [\"/bin/cat\"]\nnetwork = \"none\"\n").contains(proposal))
    for lines in [
      "serve = \"echo\"", "exec = [\"/bin/cat\"]\nread-only-paths = [\"/usr\"]",
      "exec = [\"/bin/cat\"]\nread-write-paths = [\"/usr\"]", "exec = [\"/bin/cat\"]\nallow-set-user-id = true",
      "exec = [\"/bin/cat\"]\nsandbox = \"off\"",
    ] { #expect(try !text(lines + "\n").contains("read-only-paths"), "\(lines)") }
  }

  @Test("of given paths, none may be missing, nor keep a program from its interpreter")
  func given() throws {
    let interpreter = directory["run"]
    try directory.write("", to: "run", mode: 0o755)
    try directory.write("#!\(interpreter)\n", to: "program", mode: 0o755)
    try #require(chmod(directory.path, 0o755) == 0)
    func problems(_ key: String, _ path: String) -> [String] {
      Configuration.problems(
        "[service.x]\nlisten-stream = \"7\"\nexec = [\"\(directory["program"])\"]\n\(key) = [\"\(path)\"]\n")
    }
    for key in ["read-only-paths", "read-write-paths"] {
      #expect(problems(key, interpreter) == [])
      #expect(problems(key, directory.path) == [])
      #expect(
        problems(key, "/usr") == [
          "t.toml:3:9: service.x.exec: \(directory["program"]): its interpreter \(interpreter) is in neither "
            + "read-only-paths nor read-write-paths; add \"\(interpreter)\", or the directory with all that it needs, "
            + "to read-only-paths"
        ])
      #expect(
        problems(key, "/nonexistent").contains(
          "t.toml:4:\(key.count + 5): service.x.\(key): /nonexistent: No such file or directory"))
    }
  }
}
