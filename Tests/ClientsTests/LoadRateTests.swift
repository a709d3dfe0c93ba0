@_spi(Begat) import NameService
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Clients

/// `begat load --rate`.
@Suite(.timeLimit(.minutes(30))) struct LoadRateTests {
  /// Serves connections one after the other, the first only after a pause.
  private func server(_ listener: consuming ListeningSocket, count: Int, pause: Duration = .zero) -> Background {
    let number = listener.release().release()
    return Background {
      guard let listener = try? ListeningSocket(adopting: Descriptor(owning: number)) else { return }
      var peer = RawSocketAddress()
      for index in 0..<count where listener.descriptor.wait(for: .readable, until: Deadline(after: .seconds(20))) {
        guard let connection = try? listener.accept(peer: &peer) else { continue }
        // The client sends nothing.
        if index == 0, pause > .zero { _ = connection.wait(for: .readable, until: Deadline(after: pause)) }
        try? connection.writeAll("x")
      }
    }
  }

  private func run(
    _ listener: borrowing ListeningSocket, _ change: (inout LoadSettings) -> Void
  ) throws -> LoadTally {
    let address = try #require(try listener.descriptor.localAddress().address)
    var settings = LoadSettings(target: try ConnectionTarget("127.0.0.1", port: String(address.port ?? 1)))
    settings.timeout = .seconds(20)
    change(&settings)
    let generator = try LoadGenerator(
      settings: settings, address: address, sources: SourceAddresses(count: 0),
      clients: ClaimedClients(nil, count: 1, to: address))
    try generator.run()
    return generator.tally
  }

  @Test("begins connections when they are due, not before")
  func keepsTheRate() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
    let server = server(try ListeningSocket(adopting: listener.descriptor.duplicate()), count: 50)
    let start = SystemClock.monotonic()
    let tally = try run(listener) {
      $0.rate = 500
      $0.end = .connections(50)
    }
    #expect(SystemClock.monotonic() - start >= 100_000_000)
    server.join()
    #expect(tally.total == 50 && tally[.ok] == 50)
  }

  @Test("counts a pause of the server for all that come meanwhile")
  func correctsOmission() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
    let server = server(
      try ListeningSocket(adopting: listener.descriptor.duplicate()), count: 20, pause: .milliseconds(60))
    let tally = try run(listener) {
      $0.rate = 1000
      $0.concurrency = 1
      $0.end = .connections(20)
    }
    server.join()
    #expect(tally[.ok] == 20 && tally.delayed == 19)
    // The last one was due 20 ms after the start.
    #expect(tally.latency.min >= 40_000)
  }

  @Test("gives up what is due and finds no slot until the end")
  func givesUp() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
    let tally = try run(listener) {
      $0.rate = 1000
      $0.concurrency = 1
      $0.end = .duration(.milliseconds(100))
      $0.timeout = .milliseconds(400)
    }
    #expect(tally[.timedOut] == tally.total && tally.total <= 1)
    #expect(tally.unbegun + tally.total == 99 && tally.hasFailures)
  }

  @Test("has the times fixed beforehand")
  func fixesTimes() {
    var pace = LoadPace(rate: 4, start: 1_000)
    #expect(pace.nextTime == 250_001_000 && pace.tick == .milliseconds(250))
    #expect(pace.takeDue(at: 250_000_999) == nil)
    #expect(pace.takeDue(at: 600_000_000) == 250_001_000)
    #expect(pace.takeDue(at: 600_000_000) == 500_001_000)
    #expect(pace.takeDue(at: 600_000_000) == nil)
    #expect(pace.dropDue(before: 750_001_000) == 0)
    #expect(pace.dropDue(before: 1_250_001_000) == 2)
    #expect(pace.nextTime == 1_250_001_000)
    #expect(LoadPace(rate: 1_000_000, start: 0).tick == .microseconds(50))
  }
}
