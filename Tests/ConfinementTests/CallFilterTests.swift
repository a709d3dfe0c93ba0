import CallFilters
import Testing
@_spi(Begat) import UnixCore

/// Filters are made here and entered elsewhere: a process cannot leave one.
@Suite struct CallFilterTests {
  @Test("makes a filter of every combination of needs", arguments: 0..<8)
  func builtIn(_ needs: Int) throws {
    let filter = try BuiltInFilter.make(BuiltInFilter.Needs(rawValue: needs), exitSignal: Signal.realTime(1))
    #expect((50...400).contains(filter.instructionCount))
  }

  @Test("a process that forks none needs fewer instructions")
  func forksNone() throws {
    let forking = try BuiltInFilter.make([], exitSignal: Signal.realTime(1)).instructionCount
    #expect(try BuiltInFilter.make([], exitSignal: nil).instructionCount < forking)
  }

  @Test("makes the filter of programs, whose calls this machine's library knows")
  func program() throws {
    for permitsNetwork in [true, false] {
      let filter = try ProgramFilter.make(permitsNetwork: permitsNetwork)
      #expect((100...1500).contains(filter.instructionCount))
    }
  }
}
