import Foundation
import Glibc
import Testing

/// Users without an entry in the user database, and groups behind a colon, wherever a user is named.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "only root can be another user"))
struct NumericUserTests {
  /// Prints the user, the group and the other groups.
  private static let identity = ["/bin/sh", "-c", "echo $(id -u) $(id -g) $(id -G)"]

  @Test(
    "runs a command as such a user",
    arguments: [
      (["--user", "54321"], "54321 54321 54321"), (["--user", "54321:815"], "54321 815 815"),
      (["--user", "54321", "--group", "815"], "54321 815 815"), (["--user", "nobody:815"], "65534 815 815"),
      (["--user", "54321:815", "--group", "815"], "54321 815 815"),
    ])
  func run(options: [String], expected: String) throws {
    for limit in [[], ["--timeout", "10s"]] {
      let run = try RunningProgram.run(
        try Programs.begat(), ["run", "--directory", "/"] + options + limit + ["--"] + Self.identity)
      #expect(run.output.text == expected + "\n", "\(limit) \(run.errors.text)")
    }
  }

  @Test("changes the group alone, and leaves the environment") func groupAlone() throws {
    let run = try RunningProgram.run(
      try Programs.begat(), ["run", "--group", "815", "--", "/bin/sh", "-c", "echo $(id -u) $(id -g) $MINE"],
      environment: ["MINE=kept"])
    #expect(run.output.text == "0 815 kept\n", "\(run.errors.text)")
  }

  @Test(
    "refuses what is no user or group",
    arguments: [
      (["--user", "-1"], "--user"), (["--user", "4294967295"], "no user \"4294967295\""),
      (["--user", "1:2", "--group", "3"], "--group contradicts --user 1:2"),
      (["--group", "no-such"], "no group \"no-such\""), (["--user", "1:"], "expected USER or USER:GROUP"),
    ])
  func refusals(options: [String], reason: String) throws {
    let run = try RunningProgram.run(try Programs.begat(), ["run"] + options + ["--", "true"])
    #expect(run.status != .exited(code: 0) && run.errors.text.contains(reason), "\(run.errors.text)")
  }

  @Test("makes a clean environment for a user without an entry") func cleanEnvironment() throws {
    let words = [
      "--reuid=54321", "--regid=0", "--clear-groups", try Programs.begat(), "run", "--clean-environment", "--",
      "/usr/bin/env",
    ]
    let run = try RunningProgram.run(try Programs.tool("setpriv"), words)
    #expect(run.status == .exited(code: 0), "\(run.errors.text)")
    #expect(
      Set(run.output.lines).isSuperset(of: ["HOME=/", "USER=54321", "LOGNAME=54321", "SHELL=/bin/sh"]),
      "\(run.output.text)")
  }

  @Test("serves as such a user, and gives it sockets", arguments: ["54321", "54321:815"]) func service(user: String)
    throws
  {
    let directory = try TemporaryDirectory()
    let path = directory.path("id")
    let configuration = SampleConfiguration.program(
      "id", Self.identity, "user = \"\(user)\"", "socket-user = \"\(user)\"", listening: [path])
    try withDaemon(configuration) { daemon in
      let group = user.hasSuffix(":815") ? 815 : 54_321
      #expect(try answer(path) == "54321 \(group) \(group)\n")
      var facts = stat()
      #expect(stat(path, &facts) == 0 && facts.st_uid == 54_321)
      #expect(facts.st_gid == (user.hasSuffix(":815") ? 815 : 0))
      let check = try RunningProgram.run(try Programs.begat(), ["check", daemon.directory.path("begatd.toml")])
      #expect(check.output.text.contains(" \(user) "), "\(check.output.text)")
    }
  }

  @Test(
    "serves as such a user without begatd",
    arguments: [(["--user", "54321"], "54321 54321 54321"), (["--user", "54321:815"], "54321 815 815")])
  func listener(options: [String], expected: String) throws {
    let listener = try RunningProgram(
      try Programs.listener(), options + ["--listen-stream", "127.0.0.1:0", "--"] + Self.identity)
    let line = try listener.errors.awaitLines(containing: "ready on ")[0]
    let address = String(line.split(separator: " ").last ?? "")
    #expect(try answer(address) == expected + "\n")
  }

  @Test("a listener refuses a group that contradicts") func contradiction() throws {
    let listener = try RunningProgram.run(
      try Programs.listener(),
      ["--listen-stream", "127.0.0.1:0", "--user", "1:2", "--group", "3", "--", "/bin/cat"])
    #expect(listener.status == .exited(code: 64))
    #expect(listener.errors.text.contains("--group: contradicts --user \"1:2\""), "\(listener.errors.text)")
  }

  @Test("admits such a user at a Unix socket") func admission() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo")
    let configuration =
      "[service.echo]\nserve = \"echo\"\nlisten-stream = \"\(path)\"\nallow = [\"unix:54321\"]\n"
    try withDaemon(configuration) { _ in
      let words = [
        "--reuid=54321", "--regid=54321", "--clear-groups", try Programs.begat(), "connect", path,
      ]
      let allowed = try RunningProgram.run(try Programs.tool("setpriv"), words, input: .text("mine\n"))
      #expect(allowed.output.text == "mine\n", "\(allowed.errors.text)")
    }
  }

  private func answer(_ address: String, _ question: String? = nil) throws -> String {
    String(decoding: try ask(address, question), as: UTF8.self)
  }
}
