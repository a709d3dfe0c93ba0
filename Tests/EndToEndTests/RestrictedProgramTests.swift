import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Servers that people have, within rules about their files: they do their work, and no other.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.hasLandlock, "needs Landlock"))
struct RestrictedProgramTests {
  /// The rules that `begat check` would propose, where programs lie that were unpacked for the tests.
  private static func paths(_ others: String...) -> String {
    let peers = UnixPath(Programs.peers).parent.description
    return "read-only-paths = " + SampleConfiguration.list(["/usr", "/bin", "/etc", peers] + others)
  }

  /// Two directories with a file each, of which a program gets the first.
  private static func makeFiles(in directory: TemporaryDirectory) throws {
    chmod(directory.path, 0o755)
    for name in ["shown", "hidden"] {
      try directory.make(name)
      _ = try directory.write("\(name)\n", to: "\(name)/file", mode: 0o644)
    }
  }

  @Test func rsyncServesWhatItIsGiven() throws {
    let configuration = { (directory: TemporaryDirectory) in
      try Self.makeFiles(in: directory)
      try directory.make("received")
      chmod(directory.path("received"), 0o777)
      let modules = ["shown", "hidden", "received"].map { name in
        "[\(name)]\npath = \(directory.path(name))\nread only = \(name == "received" ? "no" : "yes")\n"
      }
      let file = try directory.write("use chroot = no\n" + modules.joined(), to: "rsyncd.conf", mode: 0o644)
      return SampleConfiguration.program(
        "rsync", [try Programs.tool("rsync"), "--daemon", "--config=\(file)"],
        Self.paths(file, directory.path("shown")),
        "read-write-paths = " + SampleConfiguration.list([directory.path("received")]), "network = \"none\"")
    }
    try withDaemon(configuration) { daemon in
      let url = "rsync://127.0.0.1:\(try daemon.port("rsync"))"
      let directory = daemon.directory
      func rsync(_ words: String...) throws -> RunningProgram {
        try RunningProgram.run(try Programs.tool("rsync"), ["-rt", "--timeout=15"] + words)
      }
      let file = directory.path("shown/file")
      #expect(try rsync("\(url)/shown/", directory.path("fetched")).status == .exited(code: 0))
      _ = try RunningProgram.tool("cmp", [file, directory.path("fetched/file")])
      #expect(try rsync(file, "\(url)/received/").status == .exited(code: 0))
      _ = try RunningProgram.tool("cmp", [file, directory.path("received/file")])
      let hidden = try rsync("\(url)/hidden/", directory.path("other"))
      #expect(hidden.status != .exited(code: 0) && access(directory.path("other/file"), F_OK) != 0)
    }
  }

  @Test func tftpdServesWhatItIsGiven() throws {
    let configuration = { (directory: TemporaryDirectory) in
      try Self.makeFiles(in: directory)
      return """
        [service.tftp]
        exec = \(SampleConfiguration.list([try Programs.tool("in.tftpd"), "--tftpd-timeout", "5", directory.path]))
        listen-datagram = ["127.0.0.1:0"]
        wait = true
        \(Self.paths(directory.path("shown")))

        """
    }
    try withDaemon(configuration) { daemon in
      let port = try daemon.port("tftp", datagram: true)
      func get(_ name: String) throws -> RunningProgram {
        try RunningProgram.run(
          try Programs.tool("atftp"),
          ["--get", "-r", "\(name)/file", "-l", daemon.directory.path("got-\(name)"), "127.0.0.1", port])
      }
      #expect(try get("shown").status == .exited(code: 0))
      _ = try RunningProgram.tool("cmp", [daemon.directory.path("shown/file"), daemon.directory.path("got-shown")])
      #expect(try get("hidden").status != .exited(code: 0))
    }
  }

  @Test func fingerdTellsOfUsers() throws {
    let words = [try Programs.tool("in.fingerd"), "-p", try Programs.tool("finger")]
    try withDaemon(SampleConfiguration.program("finger", words, Self.paths(), "network = \"none\"")) { daemon in
      let text = String(decoding: try ask(daemon.address("finger"), "root\r\n"), as: UTF8.self)
      #expect(text.contains("Login: root"), "\(text)")
    }
  }
}
