import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Programs that get the sockets themselves and leave them soon: for one client each, or for none.
@Suite(.timeLimit(.minutes(30)))
struct WaitTurnTests {
  enum Kind: CaseIterable, Sendable {
    case tcp
    case unixStream
    case datagram
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
      try daemon.directory.write(WaitingProgram.server, to: "server.py")
      try daemon.directory.replaceScript("exec \(python) \(daemon.directory.path("server.py"))", at: "program")
      #expect(try client.receiveText(within: .seconds(10)).hasSuffix(" 1 at last\n"))
      #expect(try ask(daemon.address("waiting"), "end\n").count > 0)
    }
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
      try directory.write(WaitingProgram.server, to: "server.py")
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
}
