import Admission
import Monitoring
import Testing

@testable import Administration

/// Which connections are shown, and in which order.
@Suite struct ConnectionSelectionTests {
  static func connection(_ service: String, _ peer: String?, age: Int, slot: Int = 0) -> ConnectionStatus {
    let id = ConnectionID(service: service, generation: 1, slot: slot, started: 1000)
    var connection = ConnectionStatus(id: id, process: 100 + Int32(slot), listener: 7, age: .seconds(age))
    connection.peer = peer
    return connection
  }

  @Test(
    "by source",
    arguments: [
      ("192.0.2.0/24", "192.0.2.7:51312", true), ("192.0.2.0/24", "192.0.3.7:51312", false),
      ("192.0.2.7", "192.0.2.7:1", true), ("2001:db8::/32", "[2001:db8::7]:1", true),
      ("2001:db8::/32", "192.0.2.7:1", false), ("0.0.0.0/0", "/run/x.sock", false), ("0.0.0.0/0", nil, false),
      // Shortened for privacy.
      ("192.0.0.0/16", "192.0.2.0/24", true), ("192.0.2.0/25", "192.0.2.0/24", false),
      ("192.0.2.0/24", "192.0.2.7:1\u{1b}", false),
    ] as [(String, String?, Bool)])
  func bySource(network: String, peer: String?, isAdmitted: Bool) throws {
    let filter = ConnectionFilter(source: try IPNetwork(parsing: network))
    #expect(filter.admits(Self.connection("a", peer, age: 1)) == isAdmitted)
  }

  @Test("by age and by words")
  func byAgeAndWords() {
    #expect(ConnectionFilter(minimumAge: .seconds(5)).admits(Self.connection("a", nil, age: 5)))
    #expect(!ConnectionFilter(minimumAge: .seconds(6)).admits(Self.connection("a", nil, age: 5)))
    let connection = Self.connection("echo", "192.0.2.7:51312", age: 5, slot: 3)
    for (words, isAdmitted) in [
      (["ec", "0.2.7"], true), (["103"], true), (["10"], false), (["ec", "nothing"], false), ([], true),
    ] {
      var filter = ConnectionFilter()
      filter.words = words
      #expect(filter.admits(connection) == isAdmitted, "\(words)")
    }
  }

  @Test(
    "in each order",
    arguments: [
      (.service, [2, 0, 1, 3]), (.age, [1, 2, 0, 3]), (.received, [3, 1, 2, 0]), (.sent, [0, 1, 2, 3]),
      (.peer, [2, 1, 3, 0]), (.process, [0, 1, 2, 3]), (.waiting, [2, 1, 0, 3]),
    ] as [(ConnectionOrder, [Int])])
  func inOrder(order: ConnectionOrder, slots: [Int]) {
    var connections = [
      Self.connection("b", "9", age: 1, slot: 0), Self.connection("c", "3", age: 9, slot: 1),
      Self.connection("a", "1", age: 5, slot: 2), Self.connection("d", "4", age: 0, slot: 3),
    ]
    connections[3].received = 7
    connections[0].sent = 1
    connections[1].waiting = .close
    connections[2].waiting = .client
    #expect(order.sorted(connections).map(\.id.slot) == slots)
    #expect(order.sorted(connections, isReversed: true).map(\.id.slot) == slots.reversed())
  }

  @Test("every order has a column of either table")
  func everyOrderHasAColumn() {
    var named = Self.connection("a", "192.0.2.7:1", age: 1)
    named.name = "client.example.org"
    named.via = "10.0.0.2:40000"
    for order in ConnectionOrder.allCases {
      #expect(ConnectionTable(.id, for: [named]).column(of: order) != nil)
      #expect(ConnectionTable(.serviceAndProcess, for: []).column(of: order) != nil)
    }
  }
}
