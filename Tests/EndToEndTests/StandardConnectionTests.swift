import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat-listener --stdio`: every option is obeyed, or refused with the reason.
@Suite(.timeLimit(.minutes(30)))
struct StandardConnectionTests {
  /// Accepts one connection from 127.0.0.1 and executes the program with it, as inetd does.
  private static let inetd = """
    import os, socket, sys
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    connection = server.accept()[0]
    if os.fork() == 0:
        for number in (0, 1): os.dup2(connection.fileno(), number)
        os.execv(sys.argv[1], sys.argv[1:])
    connection.close()
    answer = b""
    try:
        client.sendall(b"x\\n")
        client.shutdown(socket.SHUT_WR)
        while data := client.recv(1000): answer += data
    except OSError: pass
    sys.stdout.buffer.write(answer)
    """

  private func asInetd(_ options: [String]) throws -> RunningProgram {
    try RunningProgram.tool("python3", ["-c", Self.inetd, try Programs.listener(), "--stdio"] + options)
  }

  private func serve(_ options: [String], input: String = "x\nquit\n") throws -> RunningProgram {
    try RunningProgram.run(
      try Programs.tool("sh"),
      ["-c", "printf '\(input)' | \"$0\" --serve command --stdio \"$@\"", try Programs.listener()] + options)
  }

  @Test(.enabled(if: Machine.isRoot, "only root can be another user"), arguments: ["nobody", "65534"])
  func becomesTheUser(_ user: String) throws {
    let program = try serve(["--user", user, "--commands.x", "/usr/bin/id"])
    #expect(program.output.text.contains("uid=65534(nobody) gid=65534(nogroup)"), "\(program.output.text)")
    #expect(!program.output.text.contains("root"))
  }

  @Test(.enabled(if: Machine.isRoot, "only root can be another user"))
  func takesTheGroupAndNoOther() throws {
    let program = try serve(["--user", "nobody", "--group", "daemon", "--commands.x", "/usr/bin/id"])
    #expect(program.output.text.contains("uid=65534(nobody) gid=1(daemon) groups=1(daemon)"), "\(program.output.text)")
  }

  @Test(.enabled(if: Machine.isRoot, "only root serves as root"))
  func warnsThatItServesAsRoot() throws {
    #expect(try serve([]).errors.text == "begat-listener: command: serves as root; give it a user with --user\n")
    #expect(try serve(["--user", "root"]).errors.text == "")
  }

  /// They would be in the log once for each connection.
  @Test func saysNothingOfItsConfinement() throws {
    let words = try TestPrograms.kernelWithoutLandlock() + [try Programs.listener(), "--serve", "command", "--stdio"]
    let user = Machine.isRoot ? ["--user", "nobody"] : []
    // For others the missing calls come with no_new_privs.
    let gains = Machine.isRoot ? [["--allow-set-user-id", "--commands.x", "/bin/true"]] : []
    for options in [[], ["--sandbox", "off"]] + gains {
      let program = try RunningProgram.run(words[0], words.dropFirst() + user + options, input: .text("quit\n"))
      #expect(program.status == .exited(code: 0) && program.errors.text == "", "\(options): \(program.errors.text)")
    }
  }

  @Test func keepsNoDescriptorOfItsStarter() throws {
    let file = try Descriptor.open("/etc/passwd", .readOnly)
    let program = try RunningProgram(
      try Programs.listener(), ["--serve", "echo", "--stdio"], input: .pipe, passing: [file.number])
    try program.write("x\n")
    try program.output.awaitLines(containing: "x")
    let open = try? RunningProgram.tool("ls", ["/proc/\(program.process)/fd"]).output.lines
    #expect(open == ["0", "1", "2"])
    program.endInput()
    #expect(try program.awaitEnd() == .exited(code: 0))
  }

  @Test func givesUpNewPrivileges() throws {
    let command = ["--commands.x", "/bin/grep", "--commands.x", "NoNewPrivs", "--commands.x", "/proc/self/status"]
    #expect(try serve(command).output.text.contains("NoNewPrivs:\t1"))
  }

  @Test(arguments: [
    (["--deny", "127.0.0.0/8"], ""), (["--deny", "127.0.0.1", "--refusal", "not you"], "not you\r\n"),
    (["--allow", "192.0.2.0/24"], ""), (["--allow", ""], ""), (["--allow", "127.0.0.0/8"], "x\n"),
    (["--deny", "127.0.0.2"], "x\n"), (["--allow", "127.0.0.1", "--deny", "127.0.0.0/8"], "x\n"),
  ])
  func admitsByTheRules(_ options: [String], _ answer: String) throws {
    let program = try asInetd(["--serve", "echo"] + options)
    #expect(program.output.text == answer, "\(program.errors.text)")
    #expect(program.errors.text.contains("refused 127.0.0.1:") == (answer != "x\n"))
  }

  @Test func aClientWithoutAnAddressIsNotInAnyNetwork() throws {
    #expect(try serve(["--allow", "127.0.0.0/8"]).output.text == "")
    #expect(try serve(["--deny", "127.0.0.0/8"]).output.text.hasPrefix("Welcome to begat"))
  }

  @Test func endsAtItsMaximalDuration() throws {
    let watch = Stopwatch()
    let program = try RunningProgram(
      try Programs.listener(), ["--serve", "echo", "--stdio", "--max-duration", "1s"], input: .pipe)
    #expect(try program.awaitEnd() == .killed(by: .terminate, dumpedCore: false))
    #expect(watch.elapsed >= .seconds(1) && watch.elapsed < .seconds(5))
  }

  @Test func environmentAndLimitsReachCommands() throws {
    let program = try serve(["--commands.x", "/usr/bin/env", "--environment.COLOUR", "red"])
    #expect(program.output.text.contains("COLOUR=red"))
    let files = try serve(
      ["--limit-open-files", "77", "--commands.x", "/bin/sh", "--commands.x", "-c", "--commands.x", "ulimit -n"])
    #expect(files.output.text.contains("77"))
  }

  @Test(arguments: [
    ["--max-connections", "3"], ["--max-connections-per-source", "3"], ["--rate", "5/s"], ["--rate-per-source", "5/s"],
    ["--source-prefix.ipv4", "24"], ["--source-prefix.ipv6", "56"], ["--when-full", "refuse"], ["--backlog", "5"],
    ["--free-bind"], ["--bind-to-device", "lo"], ["--socket-mode", "0600"], ["--socket-user", "nobody"],
    ["--socket-group", "nogroup"], ["--keep-alive", "false"], ["--log", "problems"], ["--drain-timeout", "3s"],
    ["--listen-stream", "127.0.0.1:0"], ["--listen-datagram", "127.0.0.1:0"], ["--datagram-port", "7"],
    ["--socket", "77"], ["--channel", "5"], ["--scoreboard", "5"], ["--names", "5"], ["--name-requests", "5"],
  ])
  func refusesWhatHasNoEffect(_ option: [String]) throws {
    let program = try RunningProgram.run(try Programs.listener(), ["--serve", "echo", "--stdio"] + option)
    #expect(program.status == .exited(code: 64))
    #expect(
      program.errors.text == "begat-listener: \(option[0]): has no effect with stdio: one connection is served, "
        + "nothing listens; see --help\n")
  }

  @Test(arguments: [
    (["--serve", "echo", "--relay"], "--relay: only with exec; echo is built in"),
    (["--serve", "echo", "--wait"], "--wait: only with exec; echo is built in"),
    (["--serve", "echo", "--nice", "5"], "--nice: only with exec or commands; no program is executed here"),
    (
      ["--serve", "echo", "--commands.x", "/bin/true"],
      "--commands: only with serve = \"command\"; echo has no commands"
    ),
    (["--serve", "echo", "--fortune.offensive"], "--fortune.offensive: echo tells no fortunes"),
    (["--serve", "hello", "--resolve-names"], "--resolve-names: has no effect with stdio"),
    (["--serve", "echo", "--groups", "5"], "--group and --groups need --user"),
    (["--", "/bin/cat"], "--: not with stdio: execute the program itself, it has the descriptors"),
    ([], "--serve SERVICE or -- PROGRAM is missing"),
    (["--serve", "echo", "--", "/bin/cat"], "--: expected either serve or exec"),
  ])
  func refusesWhatDoesNotGoTogether(_ options: [String], _ message: String) throws {
    let program = try RunningProgram.run(try Programs.listener(), ["--stdio"] + options)
    #expect(program.status == .exited(code: 64))
    #expect(program.errors.text.hasPrefix("begat-listener: \(message)"), "\(program.errors.text)")
  }

  @Test(arguments: [
    ["--allow", "127.0.0.0/8"], ["--deny", "127.0.0.0/8"], ["--max-connections", "3"],
    ["--max-connections-per-source", "3"], ["--rate-per-source", "3/s"], ["--source-prefix.ipv4", "24"],
    ["--when-full", "refuse"], ["--refusal", "no"], ["--first-byte-timeout", "3s"], ["--idle-timeout", "3s"],
    ["--keep-alive", "false"],
  ])
  func aProgramThatWaitsGetsNoLimitsThatItWouldIgnore(_ option: [String]) throws {
    let program = try RunningProgram.run(
      try Programs.listener(), ["--listen-stream", "127.0.0.1:0", "--wait"] + option + ["--", "/bin/cat"])
    #expect(program.status == .exited(code: 64))
    #expect(
      program.errors.text == "begat-listener: \(option[0]): has no effect with wait: the program itself accepts; "
        + "see --help\n")
  }
}
