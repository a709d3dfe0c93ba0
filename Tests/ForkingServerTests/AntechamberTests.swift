import Admission
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite struct AntechamberTests {
  private func second(_ count: Int64) -> Deadline { Deadline(instant: count * 1_000_000_000) }

  private func connection(_ port: UInt16) throws -> AcceptedClient {
    AcceptedClient(
      Client(address: .ipv4(.loopback, port: port), prefix: SourcePrefix()),
      connection: try Descriptor.open("/dev/null", .readOnly))
  }

  private func port(_ connection: consuming AcceptedClient) -> UInt16? { connection.client.address?.port }

  @Test("keeps 64 connections, and gives up the one that has waited longest")
  func givesUpTheOldest() throws {
    var antechamber = try Antechamber(isUsed: true)
    #expect(antechamber.isEmpty && antechamber.nextToClose == nil && antechamber.due == .never)
    for port in 0..<64 { _ = antechamber.add(try connection(UInt16(port)), until: second(9)) }
    #expect(antechamber.isFull == true)
    let oldest = antechamber.nextToClose ?? -1
    let first = port(antechamber.take(oldest))
    #expect(first == 0)
    // The freed place gets the newest connection.
    let place = antechamber.add(try connection(64), until: second(9))
    #expect(place == oldest)
    let next = port(antechamber.take(antechamber.nextToClose ?? -1))
    #expect(next == 1 && !antechamber.isFull)
  }

  @Test("is due at the earliest deadline")
  func isDue() throws {
    var antechamber = try Antechamber(isUsed: true)
    let late = antechamber.add(try connection(1), until: second(8))
    let early = antechamber.add(try connection(2), until: second(5))
    #expect(antechamber.due == second(5) && antechamber.late(second(4)) == nil)
    #expect(antechamber.late(second(6)) == early)
    _ = antechamber.take(early)
    #expect(antechamber.due == second(8) && antechamber.late(second(6)) == nil)
    _ = antechamber.take(late)
    #expect(antechamber.due == .never && antechamber.isEmpty)
  }

  @Test("lets silent connections wait for a moment once the listener stops, and headers that have begun for longer")
  func isLimited() throws {
    for (patience, header) in [(.atStop, 1000), (.atHandover, 200)] as [(Antechamber.Patience, Int64)] {
      func time(_ milliseconds: Int64) -> Deadline { Deadline(instant: milliseconds * 1_000_000) }
      var antechamber = try Antechamber(isUsed: true)
      let silent = antechamber.add(try connection(1), until: time(9000))
      let half = antechamber.add(try connection(2), until: time(9000))
      antechamber.setBegun(half)
      let late = antechamber.add(try connection(3), until: time(150))
      antechamber.setBegun(late)
      let ready = antechamber.add(try connection(4), until: time(9000))
      antechamber.setReady(ready, until: .never)
      #expect(antechamber.due == time(150))
      antechamber.limit(to: patience, now: time(0))
      #expect(antechamber.due == time(100) && antechamber.late(time(99)) == nil)
      #expect(antechamber.late(time(100)) == silent)
      // It has the rest of the time of the others now.
      antechamber.setBegun(silent)
      #expect(antechamber.due == time(150) && antechamber.late(time(150)) == late)
      _ = antechamber.take(late)
      #expect(antechamber.due == time(header) && antechamber.late(time(header)) == silent)
      _ = antechamber.take(silent)
      #expect(antechamber.late(time(header)) == half)
      // A connection that takes its place has sent nothing.
      _ = antechamber.take(half)
      #expect(antechamber.due == time(1000))
      let next = antechamber.add(try connection(5), until: time(9000))
      antechamber.limit(next, to: patience, now: time(300))
      #expect(antechamber.due == time(400) && antechamber.late(time(400)) == next)
    }
  }

  @Test("lets complete headers wait, the oldest first, and gives them up last")
  func letsCompleteHeadersWait() throws {
    var antechamber = try Antechamber(isUsed: true)
    var places: [Int] = []
    for port in 0..<3 { places.append(antechamber.add(try connection(UInt16(port)), until: second(5))) }
    #expect(antechamber.firstReady == nil)
    antechamber.setReady(places[1], until: .never)
    antechamber.setReady(places[0], until: .never)
    #expect(antechamber.firstReady == places[0] && antechamber.nextToClose == places[2])
    #expect(antechamber.late(second(5)) == places[2])
    _ = antechamber.take(places[2])
    #expect(antechamber.nextToClose == places[0] && antechamber.due == .never)
    _ = antechamber.take(places[0])
    #expect(antechamber.firstReady == places[1])
  }

  @Test("closes what is left when it ends")
  func closesWhatIsLeft() throws {
    let pair = try SocketPair(kind: .stream)
    let theirs = pair.first
    var antechamber = try Antechamber(isUsed: true)
    let client = Client(address: .unixUnnamed, prefix: SourcePrefix())
    _ = antechamber.add(AcceptedClient(client, connection: pair.second), until: .never)
    #expect(theirs.wait(for: .readable, until: .immediate) == false)
    _ = consume antechamber
    #expect(theirs.wait(for: .readable, until: .immediate) == true)
  }
}
