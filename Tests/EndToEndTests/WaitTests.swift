import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Programs that get the sockets themselves.
@Suite(.timeLimit(.minutes(30)))
struct WaitTests {
  @Test func aProgramOfInetdsKindAcceptsItself() throws {
    try withDaemon(try WaitingProgram.configuration(WaitingProgram.server)) { daemon in
      let address = try daemon.address("waiting")
      #expect(try daemon.connections("waiting").isEmpty, "nobody has come yet")
      var (first, second): (pid_t?, pid_t?)
      for count in 1...5 { first = try WaitingProgram.expectAnswer(address, "line", count, from: first) }
      #expect(try daemon.connections("waiting").map(\.process) == [first].compactMap { $0 })
      _ = try WaitingProgram.expectAnswer(address, "end", 6, from: first)
      // The next client gets the next program.
      for count in 1...3 { second = try WaitingProgram.expectAnswer(address, "line", count, from: second) }
      #expect(first != second)
      _ = try WaitingProgram.expectAnswer(address, "end", 4, from: second)
      let records = try daemon.log.awaitLines(2, containing: "waiting: pid ")
      #expect(records.allSatisfy { $0.hasSuffix(", complete") }, "\(records)")
    }
  }

  /// While it runs, nobody else accepts: who comes while it is busy waits for it.
  @Test func nobodyElseAcceptsMeanwhile() throws {
    try withDaemon(try WaitingProgram.configuration(WaitingProgram.server)) { daemon in
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
      _ = try WaitingProgram.expectAnswer(address, "end", 7, from: processes[0])
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
    try withDaemon(try WaitingProgram.configuration(script)) { daemon in
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
}
