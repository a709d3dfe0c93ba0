import Admission
import ControlProtocol
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Connections that begatd orders a listener to end.
@Suite(.timeLimit(.minutes(30)))
struct EndOrderTests {
  private static let command = ["--serve", "command"]

  private func serving(_ offer: [String], _ body: (SupervisedListener, String, borrowing Scoreboard) throws -> Void)
    throws
  {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    // As many as there may be spares, besides connections.
    let slotCount = 256 + 64
    let object = try Scoreboard.create(slotCount: slotCount)
    let scoreboard = try Scoreboard(object, service: "", slotCount: slotCount)
    let listener = try SupervisedListener(offer, sockets: [socket.number], scoreboard: object.number)
    try listener.begin()
    try body(listener, socket.address, scoreboard)
    try listener.retire(drainTimeout: .zero)
    try listener.awaitEnd()
  }

  private func session(_ address: String, from source: String = "127.0.0.1") throws -> Client {
    let client = try Client(address, from: source)
    _ = try client.receive(until: Expected.prompt)
    return client
  }

  @Test func bySource() throws {
    try serving(Self.command) { listener, address, _ in
      let clients = try ["127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.1.1"].map { try session(address, from: $0) }
      #expect(try listener.end(.source(IPNetwork(parsing: "127.0.0.2"))) == 2)
      #expect(clients[1].awaitEnd() && clients[2].awaitEnd())
      #expect(try listener.awaitRecord().outcome == .ended(by: .terminate))
      #expect(try listener.end(.source(IPNetwork(parsing: "192.0.2.0/24"))) == 0)
      #expect(try listener.end(.source(IPNetwork(parsing: "::1"))) == 0)
      for client in [clients[0], clients[3]] { try expectAlive(client) }
      // Until a process has ended, it is told again and counts.
      #expect(eventually { listener.connections.count == 2 })
      #expect(try listener.end(.source(IPNetwork(parsing: "127.0.0.0/8"))) == 2)
      for client in clients { #expect(client.awaitEnd()) }
    }
  }

  @Test func byConnection() throws {
    try serving(Self.command) { listener, address, scoreboard in
      let clients = try (0..<3).map { _ in try session(address) }
      var index = 0
      while index < 255, scoreboard.slot(index).pointee.pid == 0 { index += 1 }
      let (process, started) = (scoreboard.slot(index).pointee.pid, scoreboard.slot(index).pointee.started)
      let slot = UInt32(index)
      try #require(process != 0)
      // A later process with the same number, another slot, a stranger, begatd's own child.
      let others: [(Int32, UInt32, Int64)] = [
        (process, slot, started + 1), (process, slot + 1, started), (getpid(), slot, started), (1, slot, started),
        (listener.program.process, slot, started), (0, slot, started), (-1, slot, started),
      ]
      for (process, slot, started) in others {
        #expect(try listener.end(.connection(process: process, slot: slot, started: started)) == 0)
      }
      for client in clients { try expectAlive(client) }
      #expect(try listener.end(.connection(process: process, slot: slot, started: started)) == 1)
      #expect(try listener.awaitRecord().process == process)
      // A spare that was forked a moment ago looks like one.
      #expect(eventually { listener.connections.count == 2 })
      // The record shows that it was reaped.
      #expect(try listener.end(.connection(process: process, slot: slot, started: started)) == 0)
    }
  }

  @Test func everythingAndWhatBeganEarlier() throws {
    try serving(Self.command) { listener, address, _ in
      let early = try session(address)
      let moment = SystemClock.monotonic()
      let late = try session(address)
      #expect(try listener.end(.startedBefore(moment)) == 1)
      #expect(early.awaitEnd())
      try expectAlive(late)
      #expect(try listener.end(.everything) == 1)
      #expect(late.awaitEnd())
      #expect(try eventually { try listener.end(.everything) == 0 })
      // The service goes on.
      try expectAlive(try session(address))
    }
  }

  /// SIGTERM first; whoever ignores it is killed five seconds later, with all that it has started.
  @Test(arguments: [[], ["--relay"]])
  func programsThatIgnoreIt(_ options: [String]) throws {
    let script = "trap '' TERM; sleep 300 & echo $$ $!; wait"
    try serving(options + ["--", "/bin/sh", "-c", script]) { listener, address, _ in
      let client = try Client(address)
      let processes = try processNumbers(try client.receive(until: "\n"))
      let watch = Stopwatch()
      #expect(try listener.end(.everything) == 1)
      #expect(try listener.end(.everything) == 1, "it is still there")
      let record = try listener.awaitRecord(within: .seconds(10))
      #expect(watch.elapsed > .milliseconds(4500) && watch.elapsed < .seconds(8), "\(watch.elapsed)")
      #expect([.ended(by: .kill), .ended(by: .terminate)].contains(record.outcome), "\(record)")
      #expect(eventually { areGone(processes) }, "a process is left")
      client.hangUp()
    }
  }

  /// More orders than the channel takes answers for.
  @Test func answersWhenThereIsRoom() throws {
    try serving(Self.command) { listener, address, _ in
      _ = try session(address)
      var sent: UInt32 = 0
      // Until neither direction takes more: the listener has stopped reading nothing, and waits for nothing.
      for number in 1...UInt32(5000) {
        guard (try? listener.send(.end(EndOrder(number: number, .startedBefore(0))))) != nil else { break }
        sent = number
      }
      // The last answers are there, whatever was lost before them.
      try listener.awaitMessage { if case .ended(sent, count: 0) = $0 { () } else { nil } }
    }
  }
}
