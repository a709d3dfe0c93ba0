import Glibc
import Testing
import UnixIPC

@Suite(.timeLimit(.minutes(1))) struct SignalSetTests {
  @Test("contains what was put in and not taken out")
  func contains() {
    var set = SignalSet(.terminate, .hangUp)
    #expect(set.contains(.terminate) && set.contains(.hangUp) && !set.contains(.interrupt))
    set.insert(.interrupt)
    set.remove(.terminate)
    #expect(!set.contains(.terminate) && set.contains(.interrupt))
    for number: CInt in 1...31 { #expect(SignalSet.all.contains(Signal(rawValue: number))) }
    #expect(SignalSet.all.contains(.realTime(0)) && SignalSet.all.contains(Signal(rawValue: 64)))
    #expect(!SignalSet().contains(.terminate))
  }

  @Test("becomes the mask, and what is blocked waits")
  func becomesTheMask() throws { try ProbeProgram.check("mask") }
}
