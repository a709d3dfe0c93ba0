import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct SignalSetTests {
  @Test("contains what was put in and not taken out")
  func contains() {
    var set = SignalSet(.terminate, .hangUp)
    #expect(set.contains(.terminate) && set.contains(.hangUp) && !set.contains(.interrupt))
    set.insert(.interrupt)
    set.remove(.terminate)
    #expect(!set.contains(.terminate) && set.contains(.interrupt))
    for number: CInt in 1...31 { #expect(SignalSet.all.contains(Signal(rawValue: number))) }
    #expect(SignalSet.all.contains(.realTime(0)!) && SignalSet.all.contains(Signal(rawValue: 63)))
    #expect(!SignalSet().contains(.terminate))
  }

  @Test("becomes the mask, and what is blocked waits")
  func becomesTheMask() throws { try ProbeProgram.check("mask") }

  @Test("is counted and named in the order of its numbers")
  func isASequence() {
    let set: SignalSet = [.realTime(0)!, .terminate, .hangUp, .terminate, Signal(rawValue: 63)]
    #expect(Array(set) == [.hangUp, .terminate, .realTime(0)!, Signal(rawValue: 63)])
    #expect(set.count == 4 && !set.isEmpty && SignalSet().isEmpty && Array(SignalSet()).isEmpty)
    #expect("\(set)" == "SIGHUP SIGTERM SIGRTMIN SIGRTMIN+29")
    #expect(Array(SignalSet.all) == Signal.all)
    #expect(SignalSet(Signal.all) == .all)
  }

  @Test(
    "takes no signal in that there is not, nor those of the C library and of this one",
    arguments: [0, -1, 32, 33, 64, 65, 1024, .max])
  func takesNoOther(number: CInt) {
    var set = SignalSet(.hangUp)
    #expect(!set.insert(Signal(rawValue: number)).inserted)
    #expect(set == [.hangUp] && !set.contains(Signal(rawValue: number)))
    #expect(set.remove(Signal(rawValue: number)) == nil)
  }

  @Test("obeys the algebra of sets, as Set does")
  func obeysTheAlgebra() {
    var random = SeededRandom(state: 17)
    for _ in 0..<300 {
      let one = Set(Signal.all.filter { _ in Bool.random(using: &random) })
      let other = Set(Signal.all.filter { _ in Bool.random(using: &random) })
      let (first, second) = (SignalSet(one), SignalSet(other))
      #expect(Set(first.union(second)) == one.union(other))
      #expect(Set(first.intersection(second)) == one.intersection(other))
      #expect(Set(first.symmetricDifference(second)) == one.symmetricDifference(other))
      #expect(Set(first.subtracting(second)) == one.subtracting(other))
      #expect(first.isSubset(of: second) == one.isSubset(of: other) && (first == second) == (one == other))
      var changed = first
      let signal = Signal.all.randomElement(using: &random)!
      #expect(changed.insert(signal).inserted == !one.contains(signal) && changed.contains(signal))
      #expect(changed.update(with: signal) == signal && changed.remove(signal) == signal && !changed.contains(signal))
    }
  }

  @Test("is blocked for a body only, and what is blocked is delivered later")
  func isBlocked() throws { try ProbeProgram.check("signal-blocked") }

  @Test("is waited for with a deadline, the lowest number first")
  func isWaitedFor() throws { try ProbeProgram.check("signal-wait") }

  @Test("is waited for on, when another signal interrupts")
  func isWaitedForOn() throws { try ProbeProgram.check("signal-wait-interrupted") }

  @Test("waits no longer than a time limit")
  func waitsInATimeLimit() throws { try ProbeProgram.check("bound-signal-wait") }
}
