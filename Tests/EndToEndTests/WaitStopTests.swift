import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The end of programs that got the sockets themselves.
@Suite(.timeLimit(.minutes(30)))
struct WaitStopTests {
  /// They may have the socket as well, and then nobody else could be bound to its address.
  @Test(arguments: [false, true])
  func aStopLeavesNoneOfItsChildren(deaf: Bool) throws {
    let script = """
      import os, signal, socket
      listener = socket.socket(fileno=0)
      client, _ = listener.accept()
      if os.fork() == 0:
          if \(deaf ? "True" : "False"): signal.signal(signal.SIGTERM, signal.SIG_IGN)
          client.sendall(f"{os.getpid()}\\n".encode())
          while True: signal.pause()
      signal.pause()
      """
    try withDaemon(try WaitingProgram.configuration(script)) { daemon in
      let client = try Client(try daemon.address("waiting"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(4))
      #expect(eventually { areGone(processes) }, "a process is left")
      #expect(watch.elapsed < (deaf ? .milliseconds(2500) : .milliseconds(900)), "\(watch.elapsed)")
      #expect(!deaf || watch.elapsed > .milliseconds(850), "\(watch.elapsed)")
    }
  }

  @Test func maxDurationEndsOneAndTheNextClientGetsAnother() throws {
    try withDaemon(try WaitingProgram.configuration(WaitingProgram.server, "max-duration = \"1s\"")) { daemon in
      let address = try daemon.address("waiting")
      let first = try WaitingProgram.expectAnswer(address, "line", 1, from: nil)
      let line = try daemon.log.awaitLines(containing: "waiting: pid ", within: .seconds(5))[0]
      #expect(line.hasSuffix(", max-duration"), "\(line)")
      let second = try WaitingProgram.expectAnswer(address, "end", 1, from: nil)
      #expect(first != second)
    }
  }

  /// It has the sockets, and only it can stop accepting.
  @Test func aStopTellsItToEndAndWaitsForIt() throws {
    let script = """
      import signal, socket
      signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
      listener = socket.socket(fileno=0)
      client, _ = listener.accept()
      client.sendall(b"ready\\n")
      signal.sigwait([signal.SIGTERM])
      client.sendall(b"going\\n")
      client.sendall(client.makefile("rb").readline())
      """
    try withDaemon(try WaitingProgram.configuration(script)) { daemon in
      let client = try Client(try daemon.address("waiting"))
      #expect(try client.receive(until: "\n") == "ready\n")
      try daemon.program.send(.terminate)
      #expect(try client.receive(until: "\n") == "going\n")
      #expect(!daemon.program.hasEnded)
      try client.send("the last line\n")
      #expect(try client.receiveText() == "the last line\n")
      try daemon.awaitEnd(within: .seconds(5))
      let line = daemon.log.lines(containing: "waiting: pid ")[0]
      #expect(line.hasSuffix(", complete, at the stop"), "\(daemon.log.text)")
    }
  }

  @Test func aStopEndsTheStubborn() throws {
    let configuration = SampleConfiguration.script(
      "waiting", "trap '' TERM; sleep 300 & echo $$ $! >&2; wait", "wait = true")
    try withDaemon(configuration) { daemon in
      let client = try Client(try daemon.address("waiting"))
      let line = try daemon.log.awaitLines(containing: ": program: ")[0]
      let processes = try processNumbers(String(line.split(separator: ":").last ?? ""))
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(5))
      #expect(watch.elapsed > .milliseconds(850) && watch.elapsed < .milliseconds(2500), "\(watch.elapsed)")
      #expect(client.awaitEnd(within: .seconds(1)))
      #expect(eventually { areGone(processes) }, "a process is left")
    }
  }
}
