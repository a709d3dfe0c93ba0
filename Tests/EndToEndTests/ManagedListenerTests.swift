import Glibc
import Testing
@_spi(Begat) import UnixCore

/// A listener without begatd that a service manager has started.
@Suite(.timeLimit(.minutes(30)))
struct ManagedListenerTests {
  private static func start(
    _ words: [String], _ environment: [String], script: String = "exec \"$0\" \"$@\""
  ) throws -> RunningProgram {
    try RunningProgram(
      try Programs.tool("sh"), ["-c", script, try Programs.listener()] + words, environment: environment)
  }

  private static let own = "WATCHDOG_PID=$$ exec \"$0\" \"$@\""
  private static let journal = "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/$$/fd/2) exec \"$0\" \"$@\""

  /// The address in the line that says that it is ready.
  private static func address(_ program: RunningProgram) throws -> String {
    let line = try program.errors.awaitLines(containing: "ready on ")[0]
    return String(line.split(separator: " ").last ?? "")
  }

  @Test("reports that it is ready, where it serves, that it is alive, and that it stops")
  func reports() throws {
    let directory = try TemporaryDirectory()
    let notify = try FakeManager(in: directory)
    let program = try Self.start(
      ["--serve", "echo", "--listen-stream", "127.0.0.1:0"], [notify.variable, "WATCHDOG_USEC=200000"],
      script: Self.own)
    let first = try #require(try notify.take(until: "READY=1").first)
    let address = try Self.address(program)
    #expect(first == ["READY=1", "WATCHDOG=1", "STATUS=serving echo on \(address)"])
    for _ in 0..<3 { #expect(try notify.take(until: "WATCHDOG=1") == [["WATCHDOG=1"]]) }
    let client = try Client(address)
    try client.send("x")
    #expect(try client.receive(count: 1) == [120])
    try program.send(.terminate)
    let last = try #require(try notify.take(until: "STOPPING=1").last)
    #expect(last.contains("STATUS=stopping; connections may go on for 30s"))
    #expect(last.contains("EXTEND_TIMEOUT_USEC=33000000"))
    // It is alive while it waits for its last client.
    #expect(try notify.take(until: "WATCHDOG=1") == [["WATCHDOG=1"]])
    client.hangUp()
    #expect(try program.awaitEnd() == .exited(code: 0))
  }

  @Test(
    "is silent about its life if the manager wants to hear of another process, or of none", arguments: [true, false])
  func withoutWatchdog(isOfAnother: Bool) throws {
    let directory = try TemporaryDirectory()
    let notify = try FakeManager(in: directory)
    let watchdog = isOfAnother ? ["WATCHDOG_USEC=2000", "WATCHDOG_PID=1"] : []
    let program = try Self.start(["--serve", "time", "--listen-stream", "127.0.0.1:0"], [notify.variable] + watchdog)
    var messages = try notify.take(until: "READY=1")
    #expect(try ask(try Self.address(program)).count == 4)
    try program.send(.terminate)
    messages += try notify.take(until: "STOPPING=1")
    #expect(messages.count == 2 && !messages.joined().contains("WATCHDOG=1"), "\(messages)")
    #expect(try program.awaitEnd() == .exited(code: 0))
  }

  @Test("does not wait for a manager that does not read, and reports later")
  func fullQueue() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("notify")
    let bound = try UnixSocketFile.bind(at: path, kind: .datagram, access: UnixSocketFile.Access())
    let socket = bound.socket
    let program = try Self.start(
      ["--serve", "time", "--listen-stream", "127.0.0.1:0"], ["NOTIFY_SOCKET=\(path)", "WATCHDOG_USEC=2000"],
      script: Self.own)
    let address = try Self.address(program)
    let sender = try Descriptor.socket(family: .unix, kind: .datagram)
    try ClientSocket.connect(sender, to: .unixPath(UnixPath(path)))
    #expect(eventually { !sender.wait(for: .writable, until: .immediate) })
    for _ in 0..<3 { #expect(try ask(address).count == 4) }
    #expect(Self.takeAll(from: socket) > 1)
    #expect(eventually { Self.takeAll(from: socket) > 0 })
    #expect(!program.errors.text.contains("cannot be told"))
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0))
  }

  private static func takeAll(from socket: borrowing Descriptor) -> Int {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      var count = 0
      while let size = try? socket.receive(into: room, waiting: false), size > 0 { count += 1 }
      return count
    }
  }

  @Test("serves without a manager at the place that it was told, and says so once")
  func missingManager() throws {
    let program = try Self.start(
      ["--serve", "time", "--listen-stream", "127.0.0.1:0"], ["NOTIFY_SOCKET=/nonexistent", "WATCHDOG_USEC=2000"],
      script: Self.own)
    try program.errors.awaitLines(containing: "the service manager cannot be told: ")
    for _ in 0..<3 { #expect(try ask(try Self.address(program)).count == 4) }
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0))
    #expect(program.errors.lines(containing: "cannot be told").count == 1)
  }

  @Test("leaves neither the manager's socket nor its variables to programs and connections")
  func inheritsNothing() throws {
    let directory = try TemporaryDirectory()
    let notify = try FakeManager(in: directory)
    let show = try Self.start(
      ["--listen-stream", "127.0.0.1:0", "--", "/bin/sh", "-c", "env; ls -l /proc/$$/fd"],
      [notify.variable, "WATCHDOG_USEC=20000000"], script: Self.own)
    let text = String(decoding: try ask(try Self.address(show)), as: UTF8.self)
    #expect(text.contains("PROTO=TCP"))
    for word in ["NOTIFY", "WATCHDOG", "JOURNAL"] { #expect(!text.contains(word), "\(text)") }
    // Its input and its output, and nothing else, are the client's socket.
    #expect(text.split(separator: "\n").filter { $0.contains("socket:[") }.count == 2, "\(text)")

    let echo = try Self.start(["--serve", "echo", "--listen-stream", "127.0.0.1:0"], [notify.variable])
    let client = try Client(try Self.address(echo))
    try client.send("x")
    #expect(try client.receive(count: 1) == [120])
    let connection = try #require(ProcessFacts.children(of: echo.process).first { !$0.isSpare })
    let sockets = ProcessFacts.descriptors(of: connection.process).values.filter { $0.hasPrefix("socket:") }
    #expect(sockets.count == 1, "\(sockets)")
  }

  @Test("waits before it ends if its command line is wrong, and ends by a signal")
  func wrongCommandLine() throws {
    let program = try Self.start(
      ["--serve", "nonsense"], ["NOTIFY_SOCKET=/nonexistent"], script: "SYSTEMD_EXEC_PID=$$ exec \"$0\" \"$@\"")
    try program.errors.awaitLines(containing: "nonsense")
    // Without the wait it would have become a zombie.
    #expect(eventually { ProcessFacts.statusLine("State", of: program.process)?.hasPrefix("S") ?? false })
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .killed(by: .terminate, dumpedCore: false))
    // Programs of a unit inherit the variable, such as an inetd that starts the listener for each client.
    for environment in [[], ["NOTIFY_SOCKET=/nonexistent", "SYSTEMD_EXEC_PID=1"]] {
      let byHand = try Self.start(["--serve", "nonsense"], environment)
      #expect(try byHand.awaitEnd() == .exited(code: 64))
    }
  }

  @Test("writes priorities instead of its name where the journal reads")
  func priorities() throws {
    let program = try Self.start(["--serve", "time", "--listen-stream", "127.0.0.1:0"], [], script: Self.journal)
    #expect(try ask(try Self.address(program)).count == 4)
    try program.errors.awaitLines(containing: "<6>time: pid ")
    #expect(program.errors.lines(containing: "<6>time: ready on ").count == 1)
    #expect(!program.errors.text.contains("begat-listener"))
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0))

    let wrong = try Self.start(["--serve", "nonsense"], [], script: Self.journal)
    #expect(try wrong.awaitEnd() == .exited(code: 64))
    #expect(wrong.errors.text.hasPrefix("<3>--serve"), "\(wrong.errors.text)")
    let elsewhere = try Self.start(["--serve", "nonsense"], ["JOURNAL_STREAM=1:1"])
    #expect(try elsewhere.awaitEnd() == .exited(code: 64))
    #expect(elsewhere.errors.text.hasPrefix("begat-listener: --serve"), "\(elsewhere.errors.text)")
  }
}
