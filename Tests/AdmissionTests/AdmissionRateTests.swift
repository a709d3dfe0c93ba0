import Testing
@_spi(Begat) import UnixCore

@testable import Admission

@Suite(.timeLimit(.minutes(30))) struct AdmissionRateTests {
  @Test("admits a source's burst at once, then one for each of its spacings")
  func limitsTheRateOfASource() throws {
    let admission = try Visits(
      limits {
        $0.ratePerSource = try rate("10/s burst 4")
        $0.maxConnectionsPerSource = 1_000_000
        $0.maxConnections = 1_000_000
      }, sourceCapacity: 100)
    let client = try peer("192.0.2.7")
    let start = 1000 * second
    for _ in 0..<4 { #expect(admission.admit(client, user: nil, now: start).ticket != nil) }
    #expect(admission.admit(client, user: nil, now: start) == .refused(.ratePerSource))
    for step in 1...5 {
      let due = start + Int64(step) * second / 10
      #expect(admission.admit(client, user: nil, now: due - 1) == .refused(.ratePerSource))
      #expect(admission.admit(client, user: nil, now: due).ticket != nil)
      #expect(admission.admit(client, user: nil, now: due) == .refused(.ratePerSource))
    }
    #expect(admission.admit(try peer("192.0.2.8"), user: nil, now: start).ticket != nil)
    // After a pause the whole burst is there again, and no more.
    let later = start + 100 * second
    #expect((0..<10).count { _ in admission.admit(client, user: nil, now: later).ticket != nil } == 4)
  }

  @Test("remembers a source's rate when its connections have ended")
  func remembersTheRate() throws {
    let admission = try Visits(limits { $0.ratePerSource = try rate("1/h") }, sourceCapacity: 300)
    let ticket = try #require(admission.admit(try peer("192.0.2.7"), user: nil, now: second).ticket)
    admission.giveBack(ticket)
    for host in 1...200 {
      let other = SocketAddress.ipv4(IPv4Address(rawValue: UInt32(host)), port: 1)
      admission.giveBack(try #require(admission.admit(other, user: nil, now: 2 * second).ticket))
    }
    #expect(admission.admit(try peer("192.0.2.7"), user: nil, now: 3600 * second) == .refused(.ratePerSource))
    #expect(admission.admit(try peer("192.0.2.7"), user: nil, now: 3601 * second).ticket != nil)
  }

  @Test("admits in an hour what its rate says of 2,000 a second", arguments: [WhenFull.wait, .refuse])
  func limitsTheRate(whenFull: WhenFull) throws {
    let admission = try Visits(
      limits {
        $0.rate = try rate("20/s burst 50")
        $0.whenFull = whenFull
      })
    let client = try peer("192.0.2.7")
    let start = 5000 * second
    let offered = 500_000 as Int64
    let end = start + 3600 * second
    var admitted = 0
    var now = start
    while now < end {
      switch admission.admit(client, user: nil, now: now) {
      case .admitted(let ticket):
        admission.giveBack(ticket)
        admitted += 1
        now += offered
      case .wait: throw SystemCallError("accept", code: .wouldBlock)
      case .refused(let refusal):
        try #require(refusal == .rate)
        // When the next token is there; whoever comes before is refused too, and one of them is tried.
        let due = start + Int64(admitted - 49) * second / 20
        if due - offered > now {
          #expect(admission.admit(client, user: nil, now: due - offered) == .refused(.rate))
        }
        now = max(now + offered, due)
      }
    }
    #expect(abs(admitted - (20 * 3600 + 50)) <= 1, "\(admitted)")
  }
}
