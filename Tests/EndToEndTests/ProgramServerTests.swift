import Foundation
import Testing
@_spi(Begat) import UnixCore

/// Servers that people run under a super-server, with their own clients.
@Suite(.timeLimit(.minutes(30)))
struct ProgramServerTests {
  private static let hasFortune = FileManager.default.isExecutableFile(atPath: "/usr/games/fortune")

  @Test(.enabled(if: hasFortune, "needs fortune-mod: run make test-deps"), arguments: [false, true])
  func fortuneTellsOne(relayed: Bool) throws {
    let configuration = SampleConfiguration.program("told", ["/usr/games/fortune"], "relay = \(relayed)")
    try withDaemon(configuration) { daemon in
      let address = try daemon.address("told")
      var fortunes: Set<String> = []
      for _ in 0..<10 { fortunes.insert(String(decoding: try ask(address), as: UTF8.self)) }
      #expect(fortunes.count > 1 && fortunes.allSatisfy { $0.hasSuffix("\n") })
    }
  }

  @Test(arguments: [false, true])
  func catEchoes(relayed: Bool) throws {
    try withDaemon(SampleConfiguration.program("cat", ["/bin/cat"], "relay = \(relayed)")) { daemon in
      #expect(try ask(daemon.address("cat"), "one\ntwo") == Array("one\ntwo".utf8))
      let netcat = try RunningProgram.tool("nc", ["-N", "127.0.0.1", daemon.port("cat")], input: .text("three\n"))
      #expect(netcat.output.text == "three\n")
    }
  }

  // MARK: git

  @Test(arguments: [false, true])
  func gitClones(relayed: Bool) throws {
    let configuration = { (directory: TemporaryDirectory) in
      try makeRepository(in: directory)
      let words = [
        try Programs.tool("git"), "daemon", "--inetd", "--export-all", "--base-path=\(directory.path)",
      ]
      // The repository belongs to whoever runs the tests, and the service is another user.
      let settings = try directory.write("[safe]\n\tdirectory = *\n", to: "gitconfig")
      return SampleConfiguration.program(
        "git", words, "relay = \(relayed)", "environment = { GIT_CONFIG_GLOBAL = \"\(settings)\" }")
    }
    try withDaemon(configuration) { daemon in
      let clone = daemon.directory.path("clone")
      let url = "git://127.0.0.1:\(try daemon.port("git"))/origin"
      for _ in 0..<2 {
        try git(["clone", "-q", url, clone], in: daemon.directory)
        let heads = try [daemon.directory.path("origin"), clone].map { path in
          try git(["-C", path, "rev-parse", "HEAD"], in: daemon.directory)
        }
        #expect(heads[0] == heads[1] && heads[0].count == 41)
        try git(["-C", clone, "fsck", "--full"], in: daemon.directory)
        _ = try RunningProgram.tool(
          "diff", ["-r", "--exclude=.git", daemon.directory.path("origin"), clone])
        try FileManager.default.removeItem(atPath: clone)
      }
      try daemon.log.awaitLines(2, containing: ", complete")
    }
  }

  private func makeRepository(in directory: TemporaryDirectory) throws {
    try directory.make("origin")
    let origin = directory.path("origin")
    try git(["init", "-q", origin], in: directory)
    try fill(origin)
    try git(["-C", origin, "add", "-A"], in: directory)
    try git(["-C", origin, "commit", "-q", "-m", "all"], in: directory)
    try git(["-C", origin, "commit", "-q", "--allow-empty", "-m", "more"], in: directory)
  }

  /// Without anybody's own settings.
  @discardableResult
  private func git(_ arguments: [String], in directory: TemporaryDirectory) throws -> String {
    let environment = [
      "HOME=\(directory.path)", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a",
      "GIT_AUTHOR_EMAIL=a@example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example",
      "GIT_TERMINAL_PROMPT=0",
    ]
    let program = try RunningProgram.run(
      try Programs.tool("git"), arguments, environment: environment, within: .seconds(60))
    guard program.status == .exited(code: 0) else {
      throw HarnessFailure("git \(arguments): \(program.status!): \(program.errors.text)")
    }
    return program.output.text
  }

  // MARK: rsync

  @Test(arguments: [false, true])
  func rsyncSynchronisesBothWays(relayed: Bool) throws {
    let configuration = { (directory: TemporaryDirectory) in
      for name in ["offered", "received", "fetched"] { try directory.make(name) }
      try fill(directory.path("offered"))
      try directory.make("offered/empty")
      // The service's user writes there.
      chmod(directory.path("received"), 0o777)
      let settings = """
        use chroot = no
        munge symlinks = no
        [offered]
        path = \(directory.path("offered"))
        [received]
        path = \(directory.path("received"))
        read only = no

        """
      let file = try directory.write(settings, to: "rsyncd.conf")
      let words = [try Programs.tool("rsync"), "--daemon", "--config=\(file)"]
      return SampleConfiguration.program("rsync", words, "relay = \(relayed)")
    }
    try withDaemon(configuration) { daemon in
      let url = "rsync://127.0.0.1:\(try daemon.port("rsync"))"
      let (offered, received, fetched) = (
        daemon.directory.path("offered"), daemon.directory.path("received"), daemon.directory.path("fetched")
      )
      let options = ["-rlt", "--omit-dir-times", "--checksum", "--timeout=15"]
      for _ in 0..<2 {
        _ = try RunningProgram.tool("rsync", options + ["\(url)/offered/", fetched])
        _ = try RunningProgram.tool("diff", ["-r", offered, fetched])
        _ = try RunningProgram.tool("rsync", options + ["\(offered)/", "\(url)/received/"])
        _ = try RunningProgram.tool("diff", ["-r", offered, received])
        _ = try RunningProgram.tool("rsync", options + ["\(url)/received/sub", fetched])
      }
      try daemon.log.awaitLines(6, containing: ", complete")
    }
  }

  /// A tree of subdirectories, empty files and random bytes.
  private func fill(_ directory: String) throws {
    let script = """
      set -e
      cd "$1"
      mkdir -p sub/deeper
      for number in 1 2 3 4 5 6 7 8 9; do echo "line $number" > "sub/file $number"; : > "sub/deeper/empty$number"; done
      head -c 5242880 /dev/urandom > random
      ln -s random link
      """
    _ = try RunningProgram.tool("sh", ["-c", script, "fill", directory])
  }
}
