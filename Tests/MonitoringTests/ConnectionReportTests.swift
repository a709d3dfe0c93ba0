import CSharedLayouts
import ControlProtocol
import Monitoring
import Settings
import Testing
@_spi(Begat) import UnixCore

/// Connections as scoreboards show them.
@Suite struct ConnectionReportTests {
  private static let now: Int64 = 5_000_000_000_000

  private static func slot(_ process: Int32, _ address: SocketAddress?, started: Int64 = now) -> begat_slot {
    begat_slot(
      process: process, waiting: 1, peer: PeerFields(address), user: 1000, started: started, received: 7,
      sent: ConnectionRecord.unknownCount)
  }

  /// The connections of a scoreboard with these slots.
  private static func report(
    _ slots: [begat_slot], unix: SocketAddress? = nil, _ form: LogAddress = .full, atMost limit: Int = 10,
    name: (SocketAddress) -> String? = { _ in nil }
  ) throws -> ConnectionReport {
    let object = try Scoreboard.create(slotCount: slots.count)
    let board = try Scoreboard(object, service: "hello", slotCount: slots.count)
    board.setAddressForm(form)
    for (index, slot) in slots.enumerated() { board.slot(index).pointee = slot }
    var report = ConnectionReport([])
    report.add(
      try ScoreboardReader(object, slotCount: slots.count),
      at: ScoreboardPlace(service: "hello", generation: 3, listener: 99, unixAddress: unix), atMost: limit, now: now,
      name: name)
    return report
  }

  private static let client = SocketAddress.ipv4(IPv4Address(rawValue: 0xc000_0207), port: 51_312)

  @Test("show who is connected, for how long and with how many bytes")
  func showsConnections() throws {
    let report = try Self.report([begat_slot(), Self.slot(12, Self.client, started: Self.now - 2_000_000_000)]) {
      $0.host == "192.0.2.7" ? "client.example.org" : nil
    }
    let connection = try #require(report.connections.first)
    #expect(report.connections.count == 1 && report.omitted == 0)
    #expect(connection.id == ConnectionID(service: "hello", generation: 3, slot: 1, started: Self.now - 2_000_000_000))
    #expect(connection.process == 12 && connection.listener == 99 && connection.age == .seconds(2))
    #expect(connection.peer == "192.0.2.7:51312" && connection.name == "client.example.org" && connection.user == nil)
    #expect(connection.received == 7 && connection.sent == nil && connection.waiting == .firstByte)
  }

  @Test("name the socket of a client that has no address")
  func showsUsers() throws {
    let report = try Self.report([Self.slot(12, .unixUnnamed)], unix: .unixPath(UnixPath("/run/sock"))) { _ in "never" }
    #expect(report.connections[0].user == 1000 && report.connections[0].peer == "/run/sock")
    #expect(report.connections[0].name == nil)
  }

  @Test(
    "show as much of addresses as the listener was told, and names and users only with all of it",
    arguments: [(.full, "192.0.2.7:51312"), (.prefix, "192.0.2.0/24"), (.none, nil)] as [(LogAddress, String?)])
  func showsAsMuchAsTold(form: LogAddress, peer: String?) throws {
    let slots = [Self.slot(12, Self.client), Self.slot(13, .unixUnnamed)]
    let report = try Self.report(slots, unix: .unixPath(UnixPath("/run/sock")), form) { _ in "client.example.org" }
    #expect(report.connections[0].peer == peer)
    #expect((report.connections[0].name == nil) == (form != .full))
    #expect(report.connections[1].peer == "/run/sock" && (report.connections[1].user == nil) == (form != .full))
  }

  @Test(
    "show the proxy of a client as they show the client",
    arguments: [(.full, "10.0.0.2:40000"), (.prefix, "10.0.0.0/24"), (.none, nil)] as [(LogAddress, String?)])
  func showsProxies(form: LogAddress, via: String?) throws {
    let proxy = SocketAddress.ipv4(IPv4Address(rawValue: 10 << 24 | 2), port: 40_000)
    func slot(_ via: SocketAddress) -> begat_slot {
      begat_slot(
        process: 12, peer: PeerFields(Self.client), via: PeerFields(via), started: Self.now)
    }
    let report = try Self.report(
      [slot(proxy), slot(.unixUnnamed), Self.slot(12, Self.client)], unix: .unixPath(UnixPath("/run/sock")), form)
    #expect(report.connections.map(\.via) == [via, form == .none ? nil : "/run/sock", nil])
  }

  @Test("show no address if the listener's number for that is unknown")
  func showsNoAddress() throws {
    let object = try Scoreboard.create(slotCount: 1)
    let board = try Scoreboard(object, service: "hello", slotCount: 1)
    board.header.pointee.address_form = 9
    #expect(try ScoreboardReader(object, slotCount: 1).addressForm == .none)
  }

  @Test("count what they have no room for")
  func countsOmitted() throws {
    let report = try Self.report((1...5).map { Self.slot($0, Self.client) }, atMost: 3)
    #expect(report.connections.map(\.process) == [1, 2, 3] && report.omitted == 2)
  }

  @Test("show any claim of a process without harm", arguments: [Int64.min, -1, .max])
  func survivesNonsense(_ started: Int64) throws {
    let report = try Self.report([Self.slot(12, Self.client, started: started)])
    #expect(report.connections[0].age >= .zero && report.connections[0].age <= .nanoseconds(Self.now))
  }
}
