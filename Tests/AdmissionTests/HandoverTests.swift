import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// The counts of clients that a listener's successors take over.
@Suite(.timeLimit(.minutes(30))) struct HandoverTests {
  private func book(_ maxConnections: Int = 256) throws -> Descriptor {
    try AdmissionBook.create(maxConnections: maxConnections)
  }

  @Test("counts as a plain model does, through 1,000 hand-overs in any order of beginnings and ends")
  func countsAsAModel() throws {
    let model = try HandoverModel(seed: 13)
    for handover in 0..<1000 {
      for step in 0..<20 { try #require(try model.step() == nil, "step \(step) after hand-over \(handover)") }
      try #require(try model.handOver() == nil, "hand-over \(handover)")
    }
    // All of it was tried.
    #expect(model.admitted > 1000 && model.crashes > 100 && model.lateEnds > 500)
    #expect(model.refusals == [.maxConnectionsPerSource, .ratePerSource, .maxConnections, .rate])
    try #require(try model.endAll() == nil)
  }

  @Test("gives a flooder not one token more, be it connections or datagrams, however often listeners change")
  func limitsAFlooder() throws {
    for part in [AdmissionBook.Part.connections, .datagrams] {
      let flooded = try limits {
        $0.ratePerSource = try rate("10/s burst 5")
        $0.rate = try rate("20/s burst 7")
        $0.whenFull = .refuse
      }
      /// How many of a client's attempts are admitted, where listeners change as often.
      func admitted(handovers: Int) throws -> Int {
        let book = try book()
        var now = 1000 * second
        var generation = try Visits(flooded, book: book, part: part, column: 0, now: now)
        var count = 0
        for attempt in 0..<10_000 {
          now += 1_000_000
          if handovers > 0, attempt % (10_000 / handovers) == 0 {
            generation = try Visits(flooded, book: book, part: part, column: attempt % 4, now: now)
          }
          for _ in 0..<3 {
            let client = generation.client(try peer("192.0.2.7"))
            switch part {
            case .connections:
              if let ticket = generation.admit(client.address, user: nil, now: now).ticket {
                generation.giveBack(ticket)
                count += 1
              }
            case .datagrams:
              if generation.admission.refusalOfEvent(from: client, now: Deadline(instant: now)) == nil { count += 1 }
            }
          }
        }
        return count
      }
      // A burst, and then one in each tenth of a second after the first.
      let expected = 5 + 99
      #expect(try admitted(handovers: 0) == expected)
      #expect(try admitted(handovers: 1000) == expected)
    }
  }

  @Test("keeps the rates of connections and of datagrams apart")
  func keepsPartsApart() throws {
    let book = try book()
    let strict = try limits { $0.ratePerSource = try rate("1/h") }
    let connections = try Visits(strict, book: book, column: 0, now: second)
    let datagrams = try Visits(strict, book: book, part: .datagrams, column: 0, now: second)
    let client = connections.client(try peer("192.0.2.7"))
    #expect(connections.admit(client.address, user: nil, now: second).ticket != nil)
    #expect(datagrams.admission.refusalOfEvent(from: client, now: Deadline(instant: second)) == nil)
    #expect(datagrams.admission.refusalOfEvent(from: client, now: Deadline(instant: second)) == .ratePerSource)
    #expect(datagrams.active == 0 && connections.active == 1)
  }

  @Test("counts connections of a draining listener until they end, and those of a dead one until its column is cleared")
  func countsOthers() throws {
    let book = try book()
    let few = limits { $0.maxConnectionsPerSource = 3 }
    let client = try peer("192.0.2.7")
    let old = try Visits(few, book: book, column: 1, now: second)
    let first = try #require(old.admit(client, user: nil, now: second).ticket)
    _ = try #require(old.admit(client, user: nil, now: second).ticket)
    let new = try Visits(few, book: book, column: 2, now: second)
    #expect(new.active == 2 && new.admission.othersActive == 2)
    #expect(new.admit(client, user: nil, now: second).ticket?.placesOfSource == 3)
    #expect(new.admit(client, user: nil, now: second) == .refused(.maxConnectionsPerSource))
    old.giveBack(first)
    #expect(new.active == 2 && new.admission.othersActive == 1)
    #expect(new.admit(client, user: nil, now: second).ticket?.placesOfSource == 3)
    // Its own column is nothing that a message may clear.
    new.admission.clear([AdmissionColumns(1), AdmissionColumns(2)])
    #expect(new.active == 2 && new.admission.othersActive == 0)
    #expect(new.admit(client, user: nil, now: second).ticket?.placesOfSource == 3)
  }

  @Test("waits for places that draining listeners hold")
  func waitsForOthers() throws {
    let book = try book()
    let one = limits { $0.maxConnections = 1 }
    let old = try Visits(one, book: book, column: 0, now: second)
    let ticket = try #require(old.admit(try peer("192.0.2.7"), user: nil, now: second).ticket)
    let new = try Visits(one, book: book, column: 1, now: second)
    let client = new.client(try peer("192.0.2.8"))
    #expect(new.admitNext(client, now: second) == .wait(.atCapacity))
    old.giveBack(ticket)
    #expect(new.admission.othersActive == 0 && new.admitNext(client, now: second)?.ticket != nil)
  }

  @Test("begins anew with the sources whose prefix has changed, and keeps the others and the sum")
  func changesPrefixes() throws {
    let book = try book()
    let narrow = try limits { $0.ratePerSource = try rate("1/h burst 2") }
    let old = try Visits(narrow, book: book, column: 0, now: second)
    let addresses = try [peer("192.0.2.7"), peer("2001:db8::1"), peer("@user")]
    let tickets = try addresses.map { try #require(old.admit($0, user: 1000, now: second).ticket) }
    var wide = narrow
    wide.sourcePrefix = SourcePrefix(ipv4: 24, ipv6: 64)
    let new = try Visits(wide, book: book, column: 1, now: second)
    #expect(new.active == 3 && new.sources == 3)
    #expect(new.admit(addresses[0], user: nil, now: second).ticket?.placesOfSource == 1)
    #expect(new.admit(addresses[1], user: nil, now: second).ticket?.placesOfSource == 2)
    #expect(new.admit(addresses[2], user: 1000, now: second).ticket?.placesOfSource == 2)
    #expect(new.active == 6)
    // Nothing is left of the connection that was counted by the old prefix when it has ended.
    for ticket in tickets { old.giveBack(ticket) }
    #expect(new.active == 3)
    let last = try Visits(
      wide, book: book, column: 2, clearing: [AdmissionColumns(0), AdmissionColumns(1)], now: second)
    #expect(last.active == 0 && last.sources == 3)
    let later = try Visits(wide, book: book, column: 3, now: 7202 * second)
    #expect(later.sources == 0)
  }

  @Test("owes a changed rate no more than an empty bucket")
  func changesRates() throws {
    let book = try book()
    func limit(_ text: String?) throws -> AdmissionLimits {
      try limits {
        $0.ratePerSource = try text.map(rate)
        $0.rate = try text.map(rate)
        $0.whenFull = .refuse
      }
    }
    /// How many clients of one source a generation admits at this time.
    func admits(_ text: String?, column: Int, now: Int64) throws -> Int {
      let generation = try Visits(try limit(text), book: book, column: column, now: now)
      let client = try peer("192.0.2.7")
      return (0..<20).count { _ in generation.admit(client, user: nil, now: now).ticket.map(generation.giveBack) != nil
      }
    }
    let now = 1000 * second
    #expect(try admits("1/h burst 10", column: 0, now: now) == 10)
    // Ten hours of waiting become a second: ten tokens of the new rate.
    #expect(try admits("10/s burst 10", column: 1, now: now) == 0)
    #expect(try admits("10/s burst 10", column: 2, now: now + second / 10) == 1)
    #expect(try admits("10/s burst 10", column: 3, now: now + second / 10) == 0)
    // Without a limit nothing is used up, and nothing forgotten.
    #expect(try admits(nil, column: 0, now: now + second / 10) == 20)
    #expect(try admits("10/s burst 10", column: 1, now: now + second / 10) == 0)
    #expect(try admits("10/s burst 10", column: 2, now: now + 2 * second) == 10)
  }

  @Test("has room for a greater limit after it was enlarged, and is refused where it is too small")
  func grows() throws {
    let book = try book(10)
    let few = limits { $0.maxConnections = 10 }
    let old = try Visits(few, book: book, column: 0, now: second)
    let ticket = try #require(old.admit(try peer("192.0.2.7"), user: nil, now: second).ticket)
    let many = limits {
      $0.maxConnections = 100_000
      $0.maxConnectionsPerSource = 2
    }
    #expect(throws: SystemCallError("mmap", on: "admission book", code: .invalidArgument)) {
      _ = try Visits(many, book: book, column: 1, now: second)
    }
    try AdmissionBook.makeRoom(in: book, maxConnections: 100_000)
    try AdmissionBook.makeRoom(in: book, maxConnections: 10)
    let new = try Visits(many, book: book, column: 1, now: second)
    #expect(new.active == 1)
    #expect(new.admit(try peer("192.0.2.7"), user: nil, now: second).ticket?.placesOfSource == 2)
    old.giveBack(ticket)
    #expect(new.active == 1)
    _ = try Visits(few, book: book, column: 2, now: second)
  }

  @Test("is private without an object, and needs no beginning")
  func isPrivate() throws {
    let admission = try Admission(AdmissionLimits(), book: nil)
    let client = Client(address: try peer("192.0.2.7"), prefix: SourcePrefix())
    #expect(admission.refusalOfEvent(from: client, now: Deadline(instant: second)) == nil)
    #expect(admission.sources == 1 && admission.othersActive == 0)
  }

  @Test("refuses what is no book of its version")
  func refusesOthers() throws {
    let book = try book()
    let size = try MemoryFile.size(of: book)
    for offset in [0, 4, 6] {
      let object = try self.book()
      let memory = try MemoryMapping.file(object, size: size, writable: true)
      memory.unsafeBytes[AdmissionBook.connectionsOffset + offset] ^= 1
      #expect(throws: SystemCallError.self) { _ = try Admission(AdmissionLimits(), book: object) }
      _ = try Admission(AdmissionLimits(), book: object, part: .datagrams)
    }
    for column in [-1, 4] {
      #expect(throws: SystemCallError.self) { _ = try Admission(AdmissionLimits(), book: book, column: column) }
    }
    let empty = try MemoryFile.create(name: "empty", size: 100)
    #expect(throws: SystemCallError.self) { _ = try Admission(AdmissionLimits(), book: empty) }
  }
}
