import Glibc
import Testing

@testable import Configuration

@Suite struct ConfigurationFilesTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func service(_ name: String, _ port: Int) -> String {
    "[service.\(name)]\nserve = \"echo\"\nlisten-stream = \"127.0.0.1:\(port)\"\n"
  }

  @Test("adds conf.d in the order of names")
  func addsFiles() throws {
    try directory.makeDirectory("conf.d")
    try directory.write(service("main", 1), to: "begatd.toml")
    try directory.write(service("ten", 2), to: "conf.d/10.toml")
    try directory.write(service("nine", 3), to: "conf.d/09.toml")
    try directory.write("[defaults]\nbacklog = 5\n", to: "conf.d/20.toml")
    try directory.write("broken", to: "conf.d/30.toml~")
    try directory.write("broken", to: "conf.d/.40.toml")
    let configuration = try Configuration.load(file: directory["begatd.toml"], in: .sample())
    #expect(configuration.services.map(\.name) == ["main", "nine", "ten"])
    #expect(configuration.services.map(\.settings.backlog) == [5, 5, 5])
    #expect(configuration.services[1].place == Place(file: directory["conf.d/09.toml"], line: 1, column: 10))
    #expect(configuration.source == directory["begatd.toml"])
  }

  @Test("refuses a table that stands in two files, and names both")
  func refusesDuplicates() throws {
    try directory.makeDirectory("conf.d")
    try directory.write("[daemon]\n[defaults]\n" + service("a", 1), to: "begatd.toml")
    try directory.write("\n" + service("a", 2) + "[daemon]\n", to: "conf.d/1.toml")
    try directory.write(
      "[service.a.fortune]\n[defaults]\n[service.b]\nserve = \"echo\"\nlisten-stream = \"127.0.0.1:1\"",
      to: "conf.d/2.toml")
    let (main, first, second) = (directory["begatd.toml"], directory["conf.d/1.toml"], directory["conf.d/2.toml"])
    #expect(
      Configuration.problems(file: main, in: .sample()) == [
        "\(first):2:10: service.a: this table is also at \(main):3:10",
        "\(first):5:2: daemon: this table is also at \(main):1:2",
        "\(second):1:10: service.a: this table is also at \(main):3:10",
        "\(second):2:2: defaults: this table is also at \(main):2:2",
        "\(second):5:17: service.b.listen-stream: 127.0.0.1:1 is also at \(main):5:17",
      ])
  }

  @Test("tells the problems of all files together")
  func tellsAllFiles() throws {
    try directory.makeDirectory("conf.d")
    try directory.write("a", to: "begatd.toml")
    try directory.write("x = 1", to: "conf.d/1.toml")
    try directory.makeDirectory("conf.d/2.toml")
    let problems = Configuration.problems(file: directory["begatd.toml"], in: .sample())
    #expect(problems.count == 3)
    #expect(problems[0] == "\(directory["conf.d/2.toml"]): not a regular file")
    #expect(problems[1].hasPrefix("\(directory["begatd.toml"]):1:2: "))
    #expect(problems[2] == "\(directory["conf.d/1.toml"]):1:1: x: unknown key")
  }

  @Test("names a file that cannot be read, and why")
  func namesUnreadable() throws {
    let missing = directory["missing.toml"]
    #expect(Configuration.problems(file: missing, in: .sample()) == ["\(missing): No such file or directory"])
    #expect(
      Configuration.problems(file: directory.path, in: .sample()) == ["\(directory.path): not a regular file"])
    #expect(Configuration.problems(file: "/dev/zero", in: .sample(user: 1)) == ["/dev/zero: not a regular file"])
    try #require(mkfifo(directory["fifo"], 0o600) == 0)
    #expect(
      Configuration.problems(file: directory["fifo"], in: .sample()) == ["\(directory["fifo"]): not a regular file"])
    try #require(symlink("loop", directory["loop"]) == 0)
    #expect(
      Configuration.problems(file: directory["loop"], in: .sample()) == [
        "\(directory["loop"]): Too many levels of symbolic links"
      ])
  }

  /// The names of the services of a text that comes through a pipe.
  private func services(throughPipe text: String, _ path: (CInt) -> String) throws -> [String] {
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let bytes = Array(text.utf8)
    try #require(write(ends[1], bytes, bytes.count) == bytes.count && close(ends[1]) == 0)
    return try Configuration.load(file: path(ends[0]), acceptsStreams: true, in: .sample()).services.map(\.name)
  }

  @Test("reads a pipe where that is asked for, as <(...) of a shell is, and no conf.d beside it")
  func readsAPipe() throws {
    #expect(try services(throughPipe: service("piped", 1)) { "/dev/fd/\($0)" } == ["piped"])
    #expect(try services(throughPipe: service("piped", 1)) { "/proc/self/fd/\($0)" } == ["piped"])
    #expect(
      Configuration.problems(file: "/dev/fd/0", in: .sample()).count == 1, "the daemon reads files only")
    #expect(Configuration.problems(file: "-", in: .sample()) == ["-: No such file or directory"])
  }

  @Test("reads a file where a pipe would do")
  func readsAFileToo() throws {
    try directory.makeDirectory("conf.d")
    try directory.write(service("main", 1), to: "begatd.toml")
    try directory.write(service("more", 2), to: "conf.d/1.toml")
    let configuration = try Configuration.load(file: directory["begatd.toml"], acceptsStreams: true, in: .sample())
    #expect(configuration.services.map(\.name) == ["main", "more"])
  }

  @Test("refuses for root what others may write", .enabled(if: geteuid() == 0, "needs root to change groups"))
  func refusesForeignWriters() throws {
    let path = directory["begatd.toml"]
    try directory.write(service("a", 1), to: "begatd.toml", mode: 0o666)
    #expect(Configuration.problems(file: path, in: .sample()) == ["\(path): anybody may write it; use chmod o-w"])
    #expect(Configuration.problems(file: path, in: .sample(user: 1)) == [])
    // A begatd that may become root would give it to anybody.
    var capable = Surroundings.sample(user: 1)
    capable.capabilities = .becomeOthers
    #expect(Configuration.problems(file: path, in: capable) == ["\(path): anybody may write it; use chmod o-w"])
    try #require(chmod(path, 0o664) == 0)
    #expect(Configuration.problems(file: path, in: .sample()) == [])
    try #require(chown(path, 0, 1) == 0)
    #expect(Configuration.problems(file: path, in: .sample()) == ["\(path): the group 1 may write it; use chmod g-w"])
    try #require(chmod(path, 0o644) == 0)
    try directory.makeDirectory("conf.d", mode: 0o777)
    #expect(
      Configuration.problems(file: path, in: .sample()) == [
        "\(directory["conf.d"]): anybody may write it; use chmod o-w"
      ])
  }

  @Test("takes the system's file where none is named, else the embedded text")
  func takesTheSystemsFile() throws {
    try directory.makeDirectory("conf.d")
    try directory.write(service("extra", 2), to: "conf.d/1.toml")
    let surroundings = Surroundings.sample(systemFile: directory["begatd.toml"])
    let embedded = try Configuration.load(file: nil, in: surroundings)
    #expect(embedded.source == "built-in default")
    #expect(!embedded.services.map(\.name).contains("extra"))
    try directory.write(service("own", 1), to: "begatd.toml")
    let own = try Configuration.load(file: nil, in: surroundings)
    #expect(own.source == directory["begatd.toml"])
    #expect(own.services.map(\.name) == ["own", "extra"])
  }
}
