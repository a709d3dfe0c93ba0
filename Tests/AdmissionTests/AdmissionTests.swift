import Testing
@_spi(Begat) import UnixCore

@testable import Admission

@Suite(.timeLimit(.minutes(30))) struct AdmissionTests {
  @Test("admits as many of one source as may be, and frees places that are given back")
  func limitsASource() throws {
    let admission = try Visits(AdmissionLimits())
    let client = try peer("192.0.2.7")
    var tickets: [Visits.Ticket] = []
    var refusals: [Refusal] = []
    for _ in 0..<500 {
      switch admission.admit(client, user: nil, now: second) {
      case .admitted(let ticket): tickets.append(ticket)
      case .refused(let refusal): refusals.append(refusal)
      case .wait: Issue.record("an accepted client cannot wait")
      }
    }
    #expect(tickets.count == 32 && refusals == [Refusal](repeating: .maxConnectionsPerSource, count: 468))
    #expect(tickets.map(\.placesOfSource) == Array(1...32))
    #expect(Set(tickets.map(\.source)).count == 1)
    #expect(admission.active == 32 && admission.sources == 1)
    // Another source is not affected.
    let other = admission.admit(try peer("192.0.2.8"), user: nil, now: second)
    #expect(other.ticket?.placesOfSource == 1 && other.ticket?.source != tickets[0].source)
    for round in 0..<3 {
      for ticket in tickets.prefix(5) { admission.giveBack(ticket) }
      tickets.removeFirst(5)
      #expect(admission.active == 28)
      for place in 28...32 {
        let ticket = try #require(admission.admit(client, user: nil, now: second).ticket)
        #expect(ticket.placesOfSource == place, "round \(round)")
        tickets.append(ticket)
      }
      #expect(admission.admit(client, user: nil, now: second) == .refused(.maxConnectionsPerSource))
    }
  }

  @Test("counts a thousand addresses of one /64 as one, of a thousand /64 each")
  func countsNetworks() throws {
    let admission = try Visits(limits { $0.maxConnections = 5000 })
    var admitted = 0
    for host in 1...1000 {
      let address = SocketAddress.ipv6(IPv6Address(high: 0x2001_0db8_0000_0001, low: UInt64(host)), port: 1, scope: 0)
      if admission.admit(address, user: nil, now: second).ticket != nil { admitted += 1 }
    }
    #expect(admitted == 32 && admission.sources == 1)
    for network in 0..<1000 {
      let address = SocketAddress.ipv6(
        IPv6Address(high: 0x2001_0db8_0001_0000 + UInt64(network), low: 1), port: 1, scope: 0)
      #expect(admission.admit(address, user: nil, now: second).ticket?.placesOfSource == 1)
    }
    #expect(admission.active == 1032 && admission.sources == 1001)
    let wide = try Visits(limits { $0.sourcePrefix = SourcePrefix(ipv4: 24, ipv6: 48) })
    #expect(wide.admit(try peer("192.0.2.1"), user: nil, now: second).ticket?.placesOfSource == 1)
    #expect(wide.admit(try peer("::ffff:192.0.2.2"), user: nil, now: second).ticket?.placesOfSource == 2)
    #expect(wide.admit(try peer("2001:db8::1"), user: nil, now: second).ticket?.placesOfSource == 1)
    #expect(wide.admit(try peer("2001:db8:0:1::1"), user: nil, now: second).ticket?.placesOfSource == 2)
  }

  @Test("counts users on Unix sockets")
  func countsUsers() throws {
    let admission = try Visits(limits { $0.maxConnectionsPerSource = 1 })
    #expect(admission.admit(.unixUnnamed, user: 1000, now: second).ticket != nil)
    #expect(admission.admit(try peer("@a"), user: 1000, now: second) == .refused(.maxConnectionsPerSource))
    #expect(admission.admit(.unixUnnamed, user: 1001, now: second).ticket != nil)
  }

  @Test("accepts when there is room, says when there will be, and never waits where it refuses")
  func waits() throws {
    let waiting = try limits {
      $0.maxConnections = 2
      $0.rate = try rate("10/s burst 3")
    }
    let admission = try Visits(waiting)
    let client = admission.client(try peer("192.0.2.7"))
    let start = 1000 * second
    let first = try #require(admission.admitNext(client, now: start)?.ticket)
    let last = try #require(admission.admitNext(client, now: start)?.ticket)
    #expect(admission.admitNext(client, now: start) == .wait(.atCapacity))
    #expect(admission.admitNext(client, now: start + 3600 * second) == .wait(.atCapacity))
    admission.giveBack(first)
    admission.giveBack(try #require(admission.admitNext(client, now: start)?.ticket))
    admission.giveBack(last)
    // The burst is used up.
    #expect(admission.active == 0)
    #expect(admission.admitNext(client, now: start) == .wait(.until(start + second / 10)))
    #expect(admission.admitNext(client, now: start + second / 10 - 1) == .wait(.until(start + second / 10)))
    #expect(admission.admitNext(client, now: start + second / 10)?.ticket != nil)

    var refusing = waiting
    refusing.whenFull = .refuse
    let other = try Visits(refusing)
    for _ in 0..<2 { #expect(other.admitNext(client, now: start)?.ticket != nil) }
    #expect(other.admitNext(client, now: start) == .refused(.maxConnections))
  }

  @Test("leaves clients where they are that are to wait")
  func leavesClientsWaiting() throws {
    let admission = try Admission(limits { $0.maxConnections = 1 })
    let client = Client(address: try peer("192.0.2.7"), prefix: SourcePrefix())
    var accepted = 0
    func admitNext() -> Admission.Answer {
      do throws(SystemCallError) {
        return try admission.admit(now: Deadline(instant: second)) { () throws(SystemCallError) in
          accepted += 1
          return client
        }
      } catch { return .accepted(.refused(.denied)) }
    }
    switch admitNext() {
    case .accepted(.admitted(let reservation)):
      #expect(accepted == 1 && reservation.placesOfSource == 1)
      for _ in 0..<3 {
        guard case .wait(.atCapacity) = admitNext() else {
          Issue.record("a client was not to wait")
          return
        }
      }
      #expect(accepted == 1 && admission.active == 1)
    default: Issue.record("the first client was not admitted")
    }
    #expect(admission.active == 0)
  }

  @Test("takes neither a place nor a token where no client could be accepted")
  func takesNothingWithoutAClient() throws {
    let admission = try Visits(limits { $0.rate = try rate("1/h") })
    for _ in 0..<3 { #expect(admission.admitNext(nil, now: second) == nil) }
    #expect(admission.active == 0 && admission.sources == 0)
    #expect(admission.admitNext(admission.client(.ipv4(.loopback, port: 1)), now: second)?.ticket != nil)
  }

  @Test("refuses by the first of its reasons")
  func refusesInOrder() throws {
    var all = try limits {
      $0.maxConnections = 1
      $0.maxConnectionsPerSource = 1
      $0.rate = try rate("1/h")
      $0.ratePerSource = try rate("1/h")
      $0.whenFull = .refuse
    }
    let now = 1000 * second
    let client = try peer("192.0.2.7")
    /// What a second client is told after a first was admitted.
    func refusal(of address: SocketAddress?) throws -> Refusal? {
      let admission = try Visits(all)
      guard admission.admit(client, user: nil, now: now).ticket != nil else { return nil }
      if case .refused(let refusal) = admission.admit(address, user: nil, now: now) { return refusal }
      return nil
    }
    let stranger = try peer("192.0.2.8")
    #expect(try refusal(of: client) == .maxConnectionsPerSource)
    #expect(try refusal(of: stranger) == .maxConnections)
    all.deny = [try #require(AccessPeer("192.0.2.8"))]
    #expect(try refusal(of: stranger) == .denied)
    all.deny = []
    all.maxConnectionsPerSource = 9
    #expect(try refusal(of: client) == .ratePerSource)
    all.ratePerSource = nil
    #expect(try refusal(of: client) == .maxConnections)
    all.maxConnections = 9
    #expect(try refusal(of: client) == .rate)
    all.rate = nil
    #expect(try refusal(of: client) == nil)
    #expect(Refusal.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(
      Refusal.allCases.map(\.key) == [
        "allow and deny", "max-connections-per-source", "rate-per-source", "max-connections", "rate", "begat deny",
        "deny-time", "proxy-from", "proxy-header", "proxy-timeout",
      ])
  }

  @Test("takes no token and no place for whoever is refused")
  func takesNothingFromOthers() throws {
    let admission = try Visits(
      limits {
        $0.rate = try rate("2/h burst 2")
        $0.ratePerSource = try rate("1/h")
        $0.deny = [try #require(AccessPeer("192.0.2.9"))]
        $0.whenFull = .refuse
      })
    let now = 1000 * second
    #expect(admission.admit(try peer("192.0.2.7"), user: nil, now: now).ticket != nil)
    for _ in 0..<100 {
      #expect(admission.admit(try peer("192.0.2.7"), user: nil, now: now) == .refused(.ratePerSource))
      #expect(admission.admit(try peer("192.0.2.9"), user: nil, now: now) == .refused(.denied))
    }
    #expect(admission.admit(try peer("192.0.2.8"), user: nil, now: now).ticket != nil)
    for host in 10..<100 {
      #expect(admission.admit(try peer("192.0.2.\(host)"), user: nil, now: now) == .refused(.rate))
    }
    #expect(admission.active == 2)
    // Those refused by the rate have lost nothing of their own.
    #expect(admission.admit(try peer("192.0.2.50"), user: nil, now: now + 1800 * second).ticket != nil)
  }

  @Test("counts events by their rates and leaves no place behind")
  func countsEvents() throws {
    let admission = try Visits(
      limits {
        $0.rate = try rate("100/s burst 100")
        $0.ratePerSource = try rate("10/s burst 10")
        $0.deny = [try #require(AccessPeer("192.0.2.9"))]
        $0.whenFull = .refuse
        $0.maxConnections = 1
        $0.maxConnectionsPerSource = 1
      })
    let now = 1000 * second
    func refusals(_ text: String, _ count: Int, now: Int64) throws -> [Refusal?] {
      let address = try peer(text)
      return (0..<count).map { _ in
        admission.admission.refusalOfEvent(from: admission.client(address), now: Deadline(instant: now))
      }
    }
    let expected = [Refusal?](repeating: nil, count: 10) + [Refusal?](repeating: .ratePerSource, count: 90)
    #expect(try refusals("192.0.2.7", 100, now: now) == expected)
    #expect(try refusals("192.0.2.9", 3, now: now) == [.denied, .denied, .denied])
    for host in 10..<19 { #expect(try refusals("192.0.2.\(host)", 10, now: now).allSatisfy { $0 == nil }) }
    #expect(try refusals("192.0.2.20", 2, now: now) == [.rate, .rate])
    #expect(try refusals("192.0.2.7", 2, now: now + second / 10) == [nil, .ratePerSource])
    #expect(admission.active == 0)
  }

  @Test("stays within its memory, whoever comes")
  func staysWithinItsMemory() throws {
    let admission = try Visits(
      limits {
        $0.ratePerSource = try rate("1/h")
        $0.maxConnections = 10_000
      })
    let faithful = try peer("192.0.2.7")
    let kept = try #require(admission.admit(faithful, user: nil, now: second).ticket)
    var most = 0
    for number in 0..<100_000 {
      let address = SocketAddress.ipv6(
        IPv6Address(high: 0x2001_0db8_0000_0000 + UInt64(number), low: UInt64(number)), port: 1, scope: 0)
      // Nobody is turned away because of others.
      let ticket = try #require(admission.admit(address, user: nil, now: 2 * second + Int64(number)).ticket)
      #expect(ticket.placesOfSource == 1)
      admission.giveBack(ticket)
      if number % 1000 == 0 { most = max(most, admission.sources) }
    }
    #expect(most <= 65_536 && admission.sources == 65_536 && admission.active == 1)
    // Who has a connection was not forgotten, nor was the latest to come.
    #expect(admission.admit(faithful, user: nil, now: 3 * second) == .refused(.ratePerSource))
    let latest = SocketAddress.ipv6(IPv6Address(high: 0x2001_0db8_0000_0000 + 99_999, low: 0), port: 1, scope: 0)
    #expect(admission.admit(latest, user: nil, now: 3 * second) == .refused(.ratePerSource))
    admission.giveBack(kept)
    #expect(admission.active == 0)
  }

  @Test("has room for the sources of all connections, however little it is to remember")
  func hasRoomForAll() throws {
    let admission = try Visits(
      limits {
        $0.maxConnections = 100
        $0.maxConnectionsPerSource = 1
        $0.whenFull = .refuse
      }, sourceCapacity: 4)
    func address(_ number: Int) -> SocketAddress { .ipv4(IPv4Address(rawValue: UInt32(number)), port: 1) }
    let tickets = try (0..<100).map { number in
      try #require(admission.admit(address(number), user: nil, now: second).ticket)
    }
    #expect(Set(tickets.map(\.source)).count == 100)
    for number in 100..<400 {
      #expect(admission.admit(address(number), user: nil, now: second) == .refused(.maxConnections))
    }
    for number in 0..<100 {
      #expect(admission.admit(address(number), user: nil, now: second) == .refused(.maxConnectionsPerSource))
    }
    for ticket in tickets { admission.giveBack(ticket) }
    #expect(admission.active == 0)
    for number in 400..<500 { #expect(admission.admit(address(number), user: nil, now: second).ticket != nil) }
    #expect(admission.active == 100 && admission.sources <= 101)
  }
}
