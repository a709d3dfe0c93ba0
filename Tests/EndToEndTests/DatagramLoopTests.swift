import Testing
@_spi(Begat) import UnixCore

/// Servers that forged datagrams cannot make talk to each other (CVE-1999-0103, VU#417980).
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "only root can forge datagrams"))
struct DatagramLoopTests {
  private static let services = ["time", "daytime", "echo", "chargen", "fortune", "discard"]

  /// The same everywhere, also the ports.
  private static func configuration(at host: String) -> String {
    services.enumerated().map { index, name in
      """
      [service.\(name)]
      serve = "\(name)"
      listen-datagram = ["\(host):\(10_001 + index)"]
      allow = ["0.0.0.0/0"]

      """
    }.joined()
  }

  private static func address(_ host: String, _ service: String) -> String {
    "\(host):\(10_001 + services.firstIndex(of: service)!)"
  }

  @Test func oneServerDoesNotTalkToItself() throws {
    try NetworkNamespace().enter {
      try withDaemon(Self.configuration(at: "127.0.0.1")) { daemon in
        for source in Self.services {
          for target in ["echo", "time", "chargen"] {
            let before = try NetworkNamespace.datagrams("OutDatagrams")
            let received = try NetworkNamespace.datagrams("InDatagrams")
            let sourceAddress = Self.address("127.0.0.1", source)
            try ForgedDatagram(source: sourceAddress, target: Self.address("127.0.0.1", target)).send()
            try expectQuiet(Self.address("127.0.0.1", target), since: before, "\(source) to \(target)")
            // The forged one, the question and its answer: it was not lost on its way.
            #expect(try NetworkNamespace.datagrams("InDatagrams") == received + 3)
          }
        }
        // They all stand still.
        let before = try NetworkNamespace.datagrams("OutDatagrams")
        let client = try DatagramClient(Self.address("127.0.0.1", "echo"))
        #expect(try client.receive(within: .seconds(1)) == nil)
        #expect(try NetworkNamespace.datagrams("OutDatagrams") == before)
        _ = daemon
      }
    }
  }

  /// Without begatd, which tells listeners the ports of all services.
  @Test(arguments: ["echo", "daytime", "chargen"])
  func aStandaloneListenerDoesNotTalkToItself(service: String) throws {
    try NetworkNamespace().enter {
      // One that it binds, and one that it was given.
      let adopted = try DatagramSocket(.ipv4(.loopback, port: 10_022)).release()
      let program = try RunningProgram(
        try Programs.listener(),
        [
          "--serve", service, "--listen-datagram", "127.0.0.1:10021", "--socket", "3", "--allow", "0.0.0.0/0", "--rate",
          "1000000/s", "--rate-per-source", "1000000/s",
        ], passing: [adopted.number])
      try program.errors.awaitLines(containing: "ready on ")
      for source in [10_021, 10_022] {
        for target in [10_021, 10_022] {
          let before = try NetworkNamespace.datagrams("OutDatagrams")
          try ForgedDatagram(source: "127.0.0.1:\(source)", target: "127.0.0.1:\(target)").send()
          try expectQuiet("127.0.0.1:\(target)", since: before, "\(source) to \(target)")
        }
      }
      try program.send(.terminate)
      #expect(try program.awaitEnd() == .exited(code: 0), "\(program.errors.text)")
    }
  }

  @Test func twoServersDoNotTalkToEachOther() throws {
    let (left, right) = (try NetworkNamespace(), try NetworkNamespace())
    try left.join(right)
    func counters() throws -> [Int] {
      try [left, right].map { try $0.enter { try NetworkNamespace.datagrams("OutDatagrams") } }
    }
    try left.enter {
      try withDaemon(Self.configuration(at: "10.99.0.1")) { _ in
        try right.enter {
          try withDaemon(Self.configuration(at: "10.99.0.2")) { _ in
            #expect(try DatagramClient.ask(Self.address("10.99.0.1", "echo"), [7]) == [7])
            let before = try counters()
            let received = try NetworkNamespace.datagrams("InDatagrams")
            for source in Self.services {
              for target in Self.services {
                try left.enter {
                  try ForgedDatagram(
                    source: Self.address("10.99.0.1", source), target: Self.address("10.99.0.2", target)
                  ).send()
                }
              }
            }
            #expect(try eventually { try NetworkNamespace.datagrams("InDatagrams") == received + 36 })
            // A question from a machine without servers' ports is answered: one counter each.
            #expect(try left.enter { try DatagramClient.ask(Self.address("10.99.0.2", "echo"), [7]) } == [7])
            #expect(try counters() == before.map { $0 + 1 })
            let client = try DatagramClient(Self.address("10.99.0.1", "echo"))
            #expect(try client.receive(within: .seconds(1)) == nil)
            #expect(try counters() == before.map { $0 + 1 })
          }
        }
      }
    }
  }

  /// What is sent to all hosts of a network would be answered by all of them.
  @Test func questionsToManyAreNotAnswered() throws {
    let (left, right) = (try NetworkNamespace(), try NetworkNamespace())
    try left.join(right)
    let configuration = """
      [service.daytime]
      serve = "daytime"
      listen-datagram = ["0.0.0.0:10013", "[::]:10013"]
      rate-per-source = "1000/s"

      """
    try left.enter {
      try withDaemon(configuration) { _ in
        try right.enter {
          for (target, source, asked) in [
            ("10.99.0.255:10013", "10.99.0.2:0", "10.99.0.1:10013"),
            ("255.255.255.255:10013", "10.99.0.2:0", "10.99.0.1:10013"),
            ("224.0.0.1:10013", "10.99.0.2:0", "10.99.0.1:10013"),
            ("[ff02::1%right]:10013", "[fd99::2]:0", "[fd99::1]:10013"),
          ] {
            let received = try left.enter { try NetworkNamespace.datagrams("InDatagrams") }
            let client = try DatagramClient(target, from: source)
            try client.send([0])
            #expect(try DatagramClient.ask(asked).count == 26)
            #expect(try client.receive(within: .zero) == nil, "\(target)")
            #expect(
              try left.enter { try NetworkNamespace.datagrams("InDatagrams") } == received + 2, "\(target) did not come"
            )
          }
        }
      }
    }
  }

  /// Asserts that a question is answered, and that nothing else was sent.
  private func expectQuiet(
    _ address: String, since before: Int, _ comment: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    // An answer of chargen may be empty.
    _ = try DatagramClient.ask(address, [7])
    let sent = try NetworkNamespace.datagrams("OutDatagrams") - before
    #expect(sent == 2, "\(comment): \(sent - 2) datagrams", sourceLocation: sourceLocation)
  }
}
