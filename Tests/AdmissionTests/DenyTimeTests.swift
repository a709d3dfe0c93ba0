import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// `deny-time`: sources that wait after abuse.
@Suite struct DenyTimeTests {
  private static let start = 1000 * second

  private func limited(_ time: DenyTime?, exempt: [String] = []) throws -> AdmissionLimits {
    var limits = AdmissionLimits()
    limits.maxConnectionsPerSource = 1
    limits.denyTime = time
    limits.denyExempt = try exempt.map { try #require(AccessPeer($0)) }
    return limits
  }

  /// Admits a client, or notes its refusal as a listener does.
  private func visit(_ visits: Visits, _ address: String, user: UInt32? = nil, at now: Int64) throws -> Visits.Verdict {
    let address = try peer(address)
    let verdict = visits.admit(address, user: user, now: now)
    if case .refused(let refusal) = verdict {
      visits.admission.noteRefused(visits.client(address, user: user), refusal, now: Deadline(instant: now))
    }
    return verdict
  }

  /// Lets a client come whose connection's process crashes.
  private func crash(_ visits: Visits, _ address: String, user: UInt32? = nil, at now: Int64) throws {
    let address = try peer(address)
    let decision = visits.admission.admit(visits.client(address, user: user), now: Deadline(instant: now))
    guard case .admitted(let reservation) = consume decision else {
      Issue.record("not admitted")
      return
    }
    visits.admission.noteCrashed(reservation, now: Deadline(instant: now))
  }

  @Test func aCrashDeniesItsSourceForTheTime() throws {
    let visits = try Visits(limited(DenyTime(.seconds(60))))
    try crash(visits, "192.0.2.7", at: Self.start)
    #expect(try visit(visits, "192.0.2.7", at: Self.start + 59 * second) == .refused(.denyTime))
    #expect(try visit(visits, "192.0.2.8", at: Self.start).ticket != nil)
    #expect(try visit(visits, "192.0.2.7", at: Self.start + 60 * second).ticket != nil)
  }

  @Test func aCrashIsNothingWithoutTheKey() throws {
    let visits = try Visits(limited(nil))
    try crash(visits, "192.0.2.7", at: Self.start)
    #expect(try visit(visits, "192.0.2.7", at: Self.start).ticket != nil)
  }

  @Test(arguments: [1, 2, 5])
  func soManyRefusalsDenyASource(_ count: Int) throws {
    let visits = try Visits(limited(DenyTime(.seconds(60), after: count)))
    let open = try #require(try visit(visits, "192.0.2.7", at: Self.start).ticket)
    for _ in 0..<count {
      #expect(try visit(visits, "192.0.2.7", at: Self.start) == .refused(.maxConnectionsPerSource))
    }
    visits.giveBack(open)
    // Those that are refused now make it no longer.
    for wait in [0, 1, 30, 59] {
      #expect(try visit(visits, "192.0.2.7", at: Self.start + Int64(wait) * second) == .refused(.denyTime))
    }
    #expect(try visit(visits, "192.0.2.7", at: Self.start + 60 * second).ticket != nil)
  }

  @Test func refusalsAreForgivenWithTime() throws {
    let visits = try Visits(limited(DenyTime(.seconds(60), after: 3)))
    let open = try #require(try visit(visits, "192.0.2.7", at: Self.start).ticket)
    // One every 20 s is what it may have.
    for step in 0..<100 {
      #expect(
        try visit(visits, "192.0.2.7", at: Self.start + Int64(step) * 20 * second) == .refused(.maxConnectionsPerSource)
      )
    }
    visits.giveBack(open)
    #expect(try visit(visits, "192.0.2.7", at: Self.start + 2000 * second).ticket != nil)
  }

  @Test func otherRefusalsDoNotCount() throws {
    var limits = try limited(DenyTime(.seconds(60), after: 1))
    limits.maxConnections = 1
    limits.whenFull = .refuse
    limits.deny = [try #require(AccessPeer("192.0.2.9"))]
    let visits = try Visits(limits)
    let open = try #require(try visit(visits, "192.0.2.8", at: Self.start).ticket)
    #expect(try visit(visits, "192.0.2.7", at: Self.start) == .refused(.maxConnections))
    #expect(try visit(visits, "192.0.2.9", at: Self.start) == .refused(.denied))
    visits.giveBack(open)
    #expect(try visit(visits, "192.0.2.7", at: Self.start).ticket != nil)
  }

  @Test func exemptPeersNeverWait() throws {
    let visits = try Visits(limited(DenyTime(.seconds(60)), exempt: ["192.0.2.0/24", "unix:7"]))
    try crash(visits, "192.0.2.7", at: Self.start)
    #expect(try visit(visits, "192.0.2.7", at: Self.start).ticket != nil)
    try crash(visits, "/run/x", user: 7, at: Self.start)
    #expect(try visit(visits, "/run/x", user: 7, at: Self.start).ticket != nil)
    try crash(visits, "/run/x", user: 8, at: Self.start)
    #expect(try visit(visits, "/run/x", user: 8, at: Self.start) == .refused(.denyTime))
  }

  /// The prefix makes the source, for this as for all else.
  @Test func aWholeSourceWaits() throws {
    let visits = try Visits(limited(DenyTime(.seconds(60))))
    try crash(visits, "2001:db8::1", at: Self.start)
    #expect(try visit(visits, "2001:db8::2", at: Self.start) == .refused(.denyTime))
    #expect(try visit(visits, "2001:db8:0:1::2", at: Self.start).ticket != nil)
  }

  /// A denied source without connections stays in a full book longer than one of which less is left to remember.
  @Test func aFullBookForgetsWhatEndsFirst() throws {
    var limits = try limited(DenyTime(.seconds(60)))
    limits.maxConnections = 2
    limits.ratePerSource = RateLimit("1/s burst 5")
    let visits = try Visits(limits, sourceCapacity: 4)
    try crash(visits, "192.0.2.7", at: Self.start)
    for host in 10..<30 {
      let ticket = try #require(try visit(visits, "192.0.2.\(host)", at: Self.start).ticket)
      visits.giveBack(ticket)
    }
    #expect(try visit(visits, "192.0.2.7", at: Self.start) == .refused(.denyTime))
  }

  @Test func aNewGenerationKeepsDenialsUnderItsOwnLimits() throws {
    let book = try AdmissionBook.create(maxConnections: 8)
    let first = try Visits(limited(DenyTime(.seconds(600))), book: book, column: 0, now: Self.start)
    try crash(first, "192.0.2.7", at: Self.start)
    let second = try Visits(limited(DenyTime(.seconds(60))), book: book, column: 1, now: Self.start + 1)
    #expect(try visit(second, "192.0.2.7", at: Self.start + 2) == .refused(.denyTime))
    let ticket = try #require(try visit(second, "192.0.2.7", at: Self.start + 1 + 60_000_000_000).ticket)
    second.giveBack(ticket)
    let third = try Visits(limited(nil), book: book, column: 2, now: Self.start + 1)
    #expect(try visit(third, "192.0.2.7", at: Self.start + 2).ticket != nil)
  }

  @Test(arguments: [
    ("192.0.2.7", true), ("192.0.2.0/24", true), ("0.0.0.0/0", true), ("192.0.2.8", false), ("::/0", false),
  ])
  func aPardonEndsDenialsOfItsNetwork(_ network: String, isEnded: Bool) throws {
    let book = try AdmissionBook.create(maxConnections: 8)
    // A pardon reads the clock.
    let now = Deadline.now.instant
    let visits = try Visits(limited(DenyTime(.seconds(600))), book: book, column: 0, now: now)
    try crash(visits, "192.0.2.7", at: now)
    #expect(try AdmissionBook.pardon(IPNetwork(parsing: network), in: book) == (isEnded ? 1 : 0))
    #expect((try visit(visits, "192.0.2.7", at: now).ticket != nil) == isEnded)
  }
}
