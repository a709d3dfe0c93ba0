@_spi(Begat) import NameService
import ProxyProtocol
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite(.timeLimit(.minutes(30))) struct LoadGeneratorTests {
  /// Serves `count` connections, each by sending `reply` and closing.
  private func server(_ listener: consuming ListeningSocket, reply: String, count: Int) -> Background {
    let number = listener.release().release()
    return Background {
      guard let listener = try? ListeningSocket(adopting: Descriptor(owning: number)) else { return }
      var peer = RawSocketAddress()
      for _ in 0..<count where listener.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))) {
        guard let connection = try? listener.accept(peer: &peer) else { continue }
        try? connection.writeAll(reply)
      }
    }
  }

  private func settings(_ address: SocketAddress) throws -> LoadSettings {
    var settings = LoadSettings(target: try ConnectionTarget("127.0.0.1", port: String(address.port ?? 1)))
    settings.concurrency = 4
    settings.end = .connections(50)
    settings.timeout = .seconds(20)
    return settings
  }

  private func run(_ settings: LoadSettings, _ address: SocketAddress) throws -> LoadTally {
    let generator = try LoadGenerator(
      settings: settings, address: address, sources: SourceAddresses(count: 3),
      clients: ClaimedClients(settings.proxy, count: 3, to: address))
    try generator.run()
    return generator.tally
  }

  @Test(
    "opens as many connections as it was told and sorts how they ended",
    arguments: [
      ("12345", 5, .ok), ("1234", 5, .short), ("123456", 5, .long), ("", 5, .empty), ("", nil, .empty), ("", 0, .ok),
    ]
      as [(String, Int?, LoadOutcome)])
  func opensConnections(reply: String, expected: Int?, outcome: LoadOutcome) throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
    let address = try #require(try listener.descriptor.localAddress().address)
    let server = server(listener, reply: reply, count: 50)
    var settings = try settings(address)
    settings.expectedBytes = expected
    let tally = try run(settings, address)
    server.join()
    #expect(tally.total == 50 && tally[outcome] == 50)
    #expect(tally.bytes == 50 * reply.utf8.count)
    #expect(tally.latency.totalCount == (outcome == .ok ? 50 : 0))
  }

  @Test("finds the expected text among what is received, or counts the connection as unexpected")
  func expectsText() throws {
    for (text, outcome) in [("ell", LoadOutcome.ok), ("elo", .unexpected)] {
      let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
      let address = try #require(try listener.descriptor.localAddress().address)
      let server = server(listener, reply: "hello", count: 50)
      var settings = try settings(address)
      settings.expectedText = Array(text.utf8)
      let tally = try run(settings, address)
      server.join()
      #expect(tally.total == 50 && tally[outcome] == 50)
    }
  }

  /// Answers each connection that brings a header and a text behind it by the address that the header claims.
  private func proxied(_ listener: consuming ListeningSocket, text: String, count: Int) -> Background {
    let number = listener.release().release()
    return Background {
      guard let listener = try? ListeningSocket(adopting: Descriptor(owning: number)) else { return }
      var peer = RawSocketAddress()
      for _ in 0..<count where listener.descriptor.wait(for: .readable, until: Deadline(after: .seconds(20))) {
        guard let connection = try? listener.accept(peer: &peer) else { continue }
        var bytes: [UInt8] = []
        while !bytes.suffix(text.utf8.count).elementsEqual(text.utf8) {
          guard let more = try? connection.receive(maxCount: 1000, until: Deadline(after: .seconds(20))), !more.isEmpty
          else { break }
          bytes += more
        }
        bytes.withUnsafeBytes { bytes in
          guard case .header(let header) = ProxyHeader.parse(bytes), let ends = header.addresses,
            bytes.dropFirst(header.length).elementsEqual(text.utf8)
          else { return }
          try? connection.sendAll(ends.source.host ?? "", until: Deadline(after: .seconds(20)))
        }
      }
    }
  }

  @Test(
    "sends a header for another client with each connection, its text behind it", arguments: ProxyClaim.Version.allCases
  )
  func sendsHeaders(version: ProxyClaim.Version) throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
    let address = try #require(try listener.descriptor.localAddress().address)
    var settings = try settings(address)
    settings.proxy = version
    settings.sentText = Array("quit\n".utf8)
    settings.expectedBytes = "198.18.0.1".utf8.count
    let server = proxied(listener, text: "quit\n", count: 50)
    let tally = try run(settings, address)
    server.join()
    #expect(tally.total == 50 && tally[.ok] == 50)
  }

  @Test("counts the refused and goes on to its end")
  func countsTheRefused() throws {
    // Bound and not listening.
    let bound = try DatagramSocket(.ipv4(.loopback, port: 0))
    let address = try #require(try bound.descriptor.localAddress().address)
    let tally = try run(settings(address), address)
    #expect(tally.total == 50 && tally[.refused] == 50)
  }

  @Test("gives up on connections that do not end in time")
  func givesUp() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
    let address = try #require(try listener.descriptor.localAddress().address)
    var settings = try settings(address)
    settings.end = .connections(4)
    settings.timeout = .milliseconds(100)
    #expect(try run(settings, address)[.timedOut] == 4)
    #expect(listener.descriptor.number >= 0)
  }
}
