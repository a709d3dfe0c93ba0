@_spi(Begat) import NameService
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Clients

/// `begat load --udp`.
@Suite(.timeLimit(.minutes(30))) struct LoadDatagramTests {
  /// Answers `count` datagrams by what `answer` makes of each.
  private func server(
    _ socket: consuming DatagramSocket, count: Int, answer: @escaping @Sendable ([UInt8]) -> [UInt8]
  ) -> Background {
    let number = socket.release().release()
    return Background {
      guard let socket = try? DatagramSocket(adopting: Descriptor(owning: number)) else { return }
      var sender = DatagramSocket.Sender()
      for _ in 0..<count where socket.descriptor.wait(for: .readable, until: Deadline(after: .seconds(20))) {
        withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 1) { room in
          guard let length = try? socket.receive(into: room, from: &sender) else { return }
          answer(Array(room[..<length])).withUnsafeBytes { try? socket.send($0, to: &sender) }
        }
      }
    }
  }

  private func run(_ address: SocketAddress, _ change: (inout LoadSettings) -> Void) throws -> LoadTally {
    var settings = LoadSettings(target: .unix(address))
    settings.usesDatagrams = true
    settings.concurrency = 4
    settings.end = .connections(50)
    settings.timeout = .seconds(20)
    change(&settings)
    let generator = try LoadGenerator(
      settings: settings, address: address, sources: SourceAddresses(count: settings.sources),
      clients: ClaimedClients(nil, count: 1, to: address))
    try generator.run()
    return generator.tally
  }

  @Test("asks and takes the answers, over UDP from one address or many", arguments: [0, 3])
  func asksOverUDP(sources: Int) throws {
    let socket = try DatagramSocket(.ipv4(.loopback, port: 0))
    let address = try #require(try socket.descriptor.localAddress().address)
    let server = server(socket, count: 50) { $0 + Array(" it is".utf8) }
    let tally = try run(address) {
      $0.sources = sources
      $0.sentText = Array("what".utf8)
      $0.expectedText = Array("what it is".utf8)
      $0.expectedBytes = 10
    }
    server.join()
    #expect(tally.total == 50 && tally[.ok] == 50 && tally.bytes == 500)
    #expect(tally.latency.totalCount == 50)
  }

  @Test("asks a Unix socket, which can answer")
  func asksUnixSockets() throws {
    let directory = try TemporaryDirectory()
    let address = SocketAddress.unixAbstract(Array(directory["datagrams"].utf8))
    let socket = try DatagramSocket(address)
    let server = server(socket, count: 50) { _ in Array("1234".utf8) }
    let tally = try run(address) { $0.expectedBytes = 5 }
    server.join()
    #expect(tally.total == 50 && tally[.short] == 50)
  }

  @Test("counts questions without an answer, and takes no late answer for that to the next")
  func countsTheLost() throws {
    let socket = try DatagramSocket(.ipv4(.loopback, port: 0))
    let address = try #require(try socket.descriptor.localAddress().address)
    let tally = try run(address) {
      $0.end = .connections(8)
      $0.timeout = .milliseconds(50)
    }
    #expect(tally.total == 8 && tally[.timedOut] == 8)
    // Each question came from a socket of its own.
    var ports: Set<SocketAddress> = []
    var sender = DatagramSocket.Sender()
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
    defer { room.deallocate() }
    for _ in 0..<8 {
      #expect(try socket.receive(into: room, from: &sender) == 0)
      if let address = sender.address { ports.insert(address) }
    }
    #expect(ports.count == 8)
  }

  @Test("counts the refused")
  func countsTheRefused() throws {
    // Bound, so that no other test gets its port, and connected elsewhere, so that it refuses.
    let socket = try DatagramSocket(.ipv4(.loopback, port: 0))
    let address = try #require(try socket.descriptor.localAddress().address)
    try ClientSocket.connect(socket.descriptor, to: .ipv4(IPv4Address(rawValue: 127 << 24 | 2), port: 9))
    let tally = try run(address) { _ in }
    #expect(tally.total == 50 && tally[.refused] == 50)
  }
}
