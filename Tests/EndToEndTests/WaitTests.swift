import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Programs that get the sockets themselves.
@Suite(.timeLimit(.minutes(10)))
struct WaitTests {
  /// Serves clients on standard input until one says "end"; tells each how many it has served.
  private static let server = """
    import os, socket
    listener = socket.socket(fileno=0)
    for count in range(1, 1000):
        client, _ = listener.accept()
        lines = client.makefile("rw")
        line = lines.readline()
        lines.write(f"{os.getpid()} {count} {line}")
        lines.flush()
        lines.close()
        client.close()
        if line == "end\\n": break
    """

  private static func waiting(_ script: String, _ lines: String...) throws -> String {
    try SampleConfiguration.python("waiting", script, "wait = true", lines.joined(separator: "\n"))
  }

  @Test func aProgramOfInetdsKindAcceptsItself() throws {
    try withDaemon(try Self.waiting(Self.server)) { daemon in
      let address = try daemon.address("waiting")
      #expect(try daemon.connections("waiting").isEmpty, "nobody has come yet")
      var (first, second): (pid_t?, pid_t?)
      for count in 1...5 { first = try expectAnswer(address, "line", count, from: first) }
      #expect(try daemon.connections("waiting").map(\.process) == [first].compactMap { $0 })
      _ = try expectAnswer(address, "end", 6, from: first)
      // The next client gets the next program.
      for count in 1...3 { second = try expectAnswer(address, "line", count, from: second) }
      #expect(first != second)
      _ = try expectAnswer(address, "end", 4, from: second)
      let records = try daemon.log.awaitLines(2, containing: "waiting: pid ")
      #expect(records.allSatisfy { $0.hasSuffix(", complete") }, "\(records)")
    }
  }

  /// While it runs, nobody else accepts: who comes while it is busy waits for it.
  @Test func nobodyElseAcceptsMeanwhile() throws {
    try withDaemon(try Self.waiting(Self.server)) { daemon in
      let address = try daemon.address("waiting")
      let slow = try Client(address)
      let processes = try daemon.awaitConnections(1, of: "waiting")
      let others = try (0..<5).map { _ in try Client(address) }
      for other in others { try other.send("other\n") }
      #expect(!others[0].hears(within: .milliseconds(500)))
      #expect(try daemon.connections("waiting").map(\.process) == processes)
      try slow.send("slow\n")
      #expect(try slow.receiveText() == "\(processes[0]) 1 slow\n")
      for (index, other) in others.enumerated() {
        #expect(try other.receiveText() == "\(processes[0]) \(index + 2) other\n")
      }
      _ = try expectAnswer(address, "end", 7, from: processes[0])
    }
  }

  /// As descriptor 3 beside 0 and 1; each socket has a program of its own.
  @Test func aProgramOfAServiceManagersKindGetsItsSocket() throws {
    let script = """
      import os, socket, sys
      assert os.environ["LISTEN_PID"] == str(os.getpid()), os.environ
      listener = socket.socket(fileno=3)
      everything = []
      for number in range(100):
          try: os.fstat(number); everything.append(number)
          except OSError: pass
      own = open("/proc/self/environ").read().split("\\0")[:-1]
      for turn in range(2):
          client, _ = listener.accept()
          said = [everything, sorted(own), os.getpid(), os.path.sameopenfile(0, 3), os.path.sameopenfile(1, 3)]
          client.sendall("\\n".join(map(str, said)).encode())
          client.close()
      """
    let configuration = { (directory: TemporaryDirectory) in
      SampleConfiguration.program(
        "waiting", [try Programs.tool("python3"), "-c", script], "wait = true",
        listening: ["127.0.0.1:0", directory.path("waiting.sock")])
    }
    try withDaemon(configuration) { daemon in
      let sockets = [try daemon.address("waiting", "127"), try daemon.address("waiting", "/")]
      var processes: Set<String> = []
      for index in [0, 1, 1, 0] {
        let lines = String(decoding: try ask(sockets[index]), as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 5 else { throw HarnessFailure("not five lines: \(lines)") }
        #expect(lines[0] == "[0, 1, 2, 3]")
        let variables = [
          "LISTEN_FDNAMES=waiting", "LISTEN_FDS=1", "LISTEN_PID=\(lines[2])", "PATH=/usr/local/bin:/usr/bin:/bin",
        ]
        #expect(lines[1] == "[" + variables.map { "'\($0)'" }.joined(separator: ", ") + "]")
        #expect(lines[3...] == ["True", "True"])
        processes.insert(lines[2])
      }
      #expect(processes.count == 2)
      _ = try daemon.awaitConnections(0, of: "waiting")
      #expect(daemon.log.lines(containing: ": program: ").isEmpty, "\(daemon.log.text)")
    }
  }

  /// Programs of inetd's kind look at descriptor 0 alone, and may stay for a quarter of an hour.
  @Test func everySocketIsServedAtTheSameTime() throws {
    let script = """
      import os, socket
      service = socket.socket(fileno=0)
      while True:
          question, client = service.recvfrom(65536)
          service.sendto(str(os.getpid()).encode(), client)
      """
    let configuration = """
      [service.waiting]
      exec = \(SampleConfiguration.list([try Programs.tool("python3"), "-c", script]))
      wait = true
      listen-datagram = ["127.0.0.1:0", "[::1]:0"]

      """
    try withDaemon(configuration) { daemon in
      let addresses = try ["127", "["].map { try daemon.address("waiting", $0, datagram: true) }
      let first = try addresses.map { try DatagramClient.ask($0) }
      #expect(first[0] != first[1])
      #expect(try addresses.map { try DatagramClient.ask($0) } == first)
      #expect(try daemon.connections("waiting").count == 2)
    }
  }

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
    try withDaemon(try Self.waiting(script)) { daemon in
      let client = try Client(try daemon.address("waiting"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(4))
      #expect(areGone(processes), "somebody is left")
      #expect(watch.elapsed < (deaf ? .milliseconds(2500) : .milliseconds(900)), "\(watch.elapsed)")
      #expect(!deaf || watch.elapsed > .milliseconds(900), "\(watch.elapsed)")
    }
  }

  /// It has the very socket that begatd has.
  @Test func aSocketThatItShutsDownListensAgain() throws {
    let script = """
      import os, socket
      listener = socket.socket(fileno=0)
      client, _ = listener.accept()
      client.sendall(b"served")
      client.close()
      listener.shutdown(socket.SHUT_RDWR)
      """
    try withDaemon(try Self.waiting(script)) { daemon in
      let address = try daemon.address("waiting")
      for count in 1...3 {
        var answer: [UInt8]?
        #expect(
          eventually {
            answer = try? ask(address); return answer != nil
          })
        #expect(answer == Array("served".utf8))
        try daemon.log.awaitLines(count, containing: "\(address): the socket had been shut down")
      }
    }
  }

  /// Of such a socket nothing is left but its name.
  @Test func aUnixSocketThatItShutsDownEndsTheListener() throws {
    let script = """
      import os, socket
      listener = socket.socket(fileno=0)
      client, _ = listener.accept()
      client.close()
      listener.shutdown(socket.SHUT_RD)
      """
    let configuration = { (directory: TemporaryDirectory) in
      SampleConfiguration.program(
        "waiting", [try Programs.tool("python3"), "-c", script], "wait = true",
        listening: [directory.path("waiting.sock")])
    }
    try withDaemon(configuration) { daemon in
      let listener = try daemon.listener("waiting")
      _ = try? ask(daemon.address("waiting"))
      try daemon.log.awaitLines(containing: "the socket was shut down, by a program that it was given to")
      #expect(eventually { ProcessFacts(listener)?.isZombie ?? true })
      #expect(daemon.log.lines(containing: "and cannot be mended").count >= 1)
    }
  }

  @Test func datagramsAreTheProgramsOwn() throws {
    let script = """
      import os, socket, sys
      service = socket.socket(fileno=0)
      while True:
          question, client = service.recvfrom(65536)
          service.sendto(f"{os.getpid()} ".encode() + question.upper(), client)
          if question == b"end": break
      """
    let configuration = """
      [service.waiting]
      exec = \(SampleConfiguration.list([try Programs.tool("python3"), "-c", script]))
      wait = true
      listen-datagram = ["127.0.0.1:0", "[::1]:0"]

      """
    try withDaemon(configuration) { daemon in
      let address = try daemon.address("waiting", "127", datagram: true)
      func ask(_ address: String, _ question: String) throws -> (process: String, text: String) {
        let answer = String(decoding: try DatagramClient.ask(address, Array(question.utf8)), as: UTF8.self)
        let words = answer.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2 else { throw HarnessFailure("not an answer: \(answer)") }
        return (words[0], words[1])
      }
      let first = try ask(address, "first question")
      #expect(first.text == "FIRST QUESTION")
      #expect(try ask(address, "second") == (first.process, "SECOND"))
      #expect(try ask(address, "end") == (first.process, "END"))
      let other = try ask(try daemon.address("waiting", "[", datagram: true), "end")
      #expect(other.text == "END" && other.process != first.process)
      let third = try ask(address, "end")
      #expect(third.process != other.process && third.text == "END")
      try daemon.log.awaitLines(3, containing: ", complete")
    }
  }

  /// It leaves its client where it was, who would have it started without end.
  @Test(arguments: ["exit 0", "exit 1", "kill -KILL $$"])
  func aProgramThatAcceptsNobodyIsNotStartedWithoutEnd(script: String) throws {
    let configuration = { (directory: TemporaryDirectory) in
      SampleConfiguration.program("waiting", [try directory.writeScript(script, to: "program")], "wait = true")
    }
    try withDaemon(configuration) { daemon in
      let client = try Client(try daemon.address("waiting"))
      try client.send("at last\n")
      try daemon.log.awaitLines(containing: "waiting: pid ")
      // After 20 in vain later and later for one that thinks itself right, at once so for the others.
      let most = script == "exit 0" ? 26 : 8
      let isSpinning = daemon.log.wait(within: .seconds(2)) { text in
        text.split(separator: "\n").count { $0.contains("waiting: pid ") } > most
      }
      #expect(!isSpinning, "\(daemon.log.lines.count) lines")
      if script != "exit 0" {
        #expect(!daemon.log.lines(containing: "waiting: the program failed at once").isEmpty)
      } else {
        #expect(
          daemon.log.lines(containing: "waiting: the program ends without taking its client, 20 times").count == 1)
        #expect(daemon.log.lines(containing: "further clients wait").isEmpty)
      }
      let python = try Programs.tool("python3")
      try daemon.directory.write(Self.server, to: "server.py")
      try daemon.directory.replaceScript("exec \(python) \(daemon.directory.path("server.py"))", at: "program")
      #expect(try client.receiveText(within: .seconds(10)).hasSuffix(" 1 at last\n"))
      #expect(try ask(daemon.address("waiting"), "end\n").count > 0)
    }
  }

  enum Kind: CaseIterable, Sendable {
    case tcp
    case unixStream
    case datagram
  }

  private func withWaiting(_ kind: Kind, _ words: [String], _ body: (borrowing Daemon, String) throws -> Void) throws {
    let configuration = { (directory: TemporaryDirectory) in
      let key = kind == .datagram ? "listen-datagram" : "listen-stream"
      let address = kind == .unixStream ? directory.path("waiting.sock") : "127.0.0.1:0"
      return """
        [service.waiting]
        exec = \(SampleConfiguration.list(words))
        \(key) = "\(address)"
        wait = true

        """
    }
    try withDaemon(configuration) { daemon in
      try body(daemon, try daemon.address("waiting", kind == .unixStream ? "/" : "127.", datagram: kind == .datagram))
    }
  }

  /// The backlog of such a program is as long after it as before, and the next datagram looks like the one before.
  @Test(arguments: Kind.allCases, [0, 3])
  func aProgramForOneClientIsNotSlowedDownByManyClients(kind: Kind, status: Int) throws {
    let program = """
      import os, socket
      service = socket.socket(fileno=0)
      if service.type == socket.SOCK_DGRAM:
          text, client = service.recvfrom(100)
          service.sendto(b"served", client)
      else:
          client, _ = service.accept()
          client.sendall(b"served")
          client.close()
      os._exit(\(status))
      """
    let clients = """
      import select, socket, sys
      kind, address = sys.argv[1], sys.argv[2]
      if kind != "unixStream": address = (address.split(":")[0], int(address.split(":")[1]))
      served = 0
      if kind == "datagram":
          client = socket.socket(type=socket.SOCK_DGRAM)
          client.connect(address)
          for _ in range(8): client.send(b"the same")
          while served < 120:
              assert client.recv(100) == b"served"
              served += 1
              client.send(b"the same")
      else:
          def connected():
              client = socket.socket(socket.AF_UNIX if kind == "unixStream" else socket.AF_INET)
              client.connect(address)
              return client
          clients = [connected() for _ in range(8)]
          while served < 120:
              for client in select.select(clients, [], [])[0]:
                  if client.recv(100) == b"served": served += 1
                  client.close()
                  clients.remove(client)
                  clients.append(connected())
      print(served)
      """
    try withWaiting(kind, [try Programs.tool("python3"), "-ISc", program]) { daemon, address in
      let run = try python(clients, ["\(kind)", address], within: .seconds(40))
      #expect(run.output.text == "120\n")
      #expect(daemon.log.lines(containing: "looping").isEmpty)
      #expect(daemon.log.lines(containing: "failed at once").isEmpty)
    }
  }

  @Test(arguments: Kind.allCases) func aProgramThatTakesNobodyIsSlowedDown(kind: Kind) throws {
    let client = """
      import socket, sys
      kind, address = sys.argv[1], sys.argv[2]
      if kind != "unixStream": address = (address.split(":")[0], int(address.split(":")[1]))
      client = socket.socket(
          socket.AF_UNIX if kind == "unixStream" else socket.AF_INET,
          socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
      client.connect(address)
      client.send(b"hello")
      print("sent", flush=True)
      sys.stdin.read()
      """
    try withWaiting(kind, [try Programs.tool("true")]) { daemon, address in
      let waiting = try RunningProgram(
        try Programs.tool("python3"), ["-c", client, "\(kind)", address], input: .pipe)
      try waiting.output.awaitLines(containing: "sent")
      try daemon.log.awaitLines(containing: "(looping)", within: .seconds(20))
      let starts = daemon.log.lines(containing: "waiting: pid ").count
      let isSpinning = daemon.log.wait(within: .seconds(2)) { text in
        text.split(separator: "\n").count { $0.contains("waiting: pid ") } > starts + 7
      }
      #expect(!isSpinning)
      #expect(daemon.log.lines(containing: "(looping)").count == 1)
      waiting.endInput()
    }
  }

  @Test func aProgramThatIsMissingIsTriedAgain() throws {
    let configuration = { (directory: TemporaryDirectory) in
      try directory.write(Self.server, to: "server.py")
      let python = try Programs.tool("python3")
      let program = try directory.writeScript("exec \(python) \(directory.path("server.py"))", to: "program")
      return SampleConfiguration.program("waiting", [program], "wait = true")
    }
    try withDaemon(configuration) { daemon in
      let (path, aside) = (daemon.directory.path("program"), daemon.directory.path("aside"))
      #expect(rename(path, aside) == 0)
      let client = try Client(try daemon.address("waiting"))
      try client.send("end\n")
      try daemon.log.awaitLines(containing: "execve \(path): No such file or directory")
      #expect(rename(aside, path) == 0)
      #expect(try client.receiveText(within: .seconds(10)).hasSuffix(" 1 end\n"))
    }
  }

  @Test func maxDurationEndsOneAndTheNextClientGetsAnother() throws {
    try withDaemon(try Self.waiting(Self.server, "max-duration = \"1s\"")) { daemon in
      let address = try daemon.address("waiting")
      let first = try expectAnswer(address, "line", 1, from: nil)
      let line = try daemon.log.awaitLines(containing: "waiting: pid ", within: .seconds(5))[0]
      #expect(line.hasSuffix(", max-duration"), "\(line)")
      let second = try expectAnswer(address, "end", 1, from: nil)
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
    try withDaemon(try Self.waiting(script)) { daemon in
      let client = try Client(try daemon.address("waiting"))
      #expect(try client.receive(until: "\n") == "ready\n")
      try daemon.program.send(.terminate)
      #expect(try client.receive(until: "\n") == "going\n")
      #expect(!daemon.program.hasEnded)
      try client.send("the last line\n")
      #expect(try client.receiveText() == "the last line\n")
      try daemon.awaitEnd(within: .seconds(5))
      #expect(
        daemon.log.lines(containing: "waiting: pid ")[0].hasSuffix(", complete, at the stop"), "\(daemon.log.text)")
    }
  }

  @Test func aStopEndsTheStubborn() throws {
    let configuration = SampleConfiguration.script(
      "waiting", "trap '' TERM; sleep 300 & echo $$ $! >&2; wait", "wait = true")
    try withDaemon("[daemon]\ndrain-timeout = \"1s\"\n" + configuration) { daemon in
      let client = try Client(try daemon.address("waiting"))
      let line = try daemon.log.awaitLines(containing: ": program: ")[0]
      let processes = try processNumbers(String(line.split(separator: ":").last ?? ""))
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(12))
      #expect(watch.elapsed > .milliseconds(5500) && watch.elapsed < .milliseconds(8500), "\(watch.elapsed)")
      #expect(client.awaitEnd(within: .seconds(1)))
      #expect(eventually { areGone(processes) }, "somebody is left")
    }
  }

  /// - Parameter process: who must answer; nil for anybody.
  /// - Returns: who did.
  private func expectAnswer(
    _ address: String, _ line: String, _ count: Int, from process: pid_t?,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> pid_t {
    let answer = String(decoding: try ask(address, line + "\n"), as: UTF8.self)
    let server = try processNumbers(answer)[0]
    #expect(answer == "\(process ?? server) \(count) \(line)\n", sourceLocation: sourceLocation)
    return server
  }
}
