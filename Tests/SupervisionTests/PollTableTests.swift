import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// What the supervisor waits for.
@Suite(.timeLimit(.minutes(30))) struct PollTableTests {
  @Test func anEntryRemovedByAnotherActionOfTheTurnIsNotCalled() throws {
    let table = try PollTable()
    let pairs = [try PipeBox(), try PipeBox()]
    var tokens: [PollTable.Token] = []
    var called = 0
    for pair in pairs {
      tokens.append(
        try table.add(pair.ends.readEnd.number, .readable) { _ in
          called += 1
          for token in tokens { table.remove(token) }
        })
      try pair.ends.writeEnd.writeAll("x")
    }
    table.wait(milliseconds: 1000)
    #expect(called == 1)
    #expect(table.count == 0)
    table.wait(milliseconds: 0)
    #expect(called == 1)
  }

  private final class PipeBox {
    let ends: PipeEnds
    init() throws { ends = try PipeEnds() }
  }
}
