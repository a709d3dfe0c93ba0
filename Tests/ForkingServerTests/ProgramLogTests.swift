import CSharedLayouts
import ControlProtocol
import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

/// Which pipes a listener keeps, and whose they are.
@Suite(.timeLimit(.minutes(30))) struct ProgramLogTests {
  private func log(connections: Int) throws -> ProgramLog {
    try ProgramLog(shared: try ProgramErrors(rate: ProgramLineRate()), connections: connections, forks: false)
  }

  /// Gives a connection a pipe; nil where there is none for it.
  private func add(_ process: Int32, to log: inout ProgramLog) -> CInt? {
    switch log.openPipe() {
    case .some(let pipe):
      log.add(
        pipe,
        of: begat_record(.ended, process: process, peer: PeerFields(nil), user: 0, socket: -1, text: PeerText(.full)))
    case nil: nil
    }
  }

  @Test("knows whose a pipe is, and has as many as there may be connections")
  func knowsWhose() throws {
    var log = try log(connections: 2)
    let numbers = [try #require(add(11, to: &log)), try #require(add(12, to: &log))]
    let all = log.numbers
    #expect(all == numbers.sorted())
    let owners = numbers.map { log.record(of: $0)?.pid }
    #expect(owners == [11, 12])
    #expect(add(13, to: &log) == nil)
    log.close(numbers[0])
    let rest = log.numbers
    let strangers = [numbers[0], -1, CInt.max].compactMap { log.record(of: $0) }
    #expect(rest == [numbers[1]] && strangers.isEmpty)
    let again = try #require(add(13, to: &log))
    let owner = log.record(of: again)?.pid
    #expect(owner == 13)
    // One number may be noted twice: it is watched once, and no more when it is closed.
    log.watchNew()
    for number in log.numbers { log.close(number) }
    let events = log.poller.wait(milliseconds: 0) { _ in }
    #expect(events == 0)
  }

  @Test("has none where programs are not run")
  func hasNone() throws {
    var log = try log(connections: 0)
    #expect(add(11, to: &log) == nil)
    let isDue = log.isLookDue()
    #expect(!isDue)
  }

  @Test("looks at pipes now and then, as long as there are any")
  func looksNowAndThen() throws {
    var log = try log(connections: 1)
    let number = try #require(add(11, to: &log))
    var looks = [log.isLookDue(), log.isLookDue()]
    log.close(number)
    looks.append(log.isLookDue())
    #expect(looks == [true, false, false])
  }
}
