import Testing

@testable import Supervision

/// Requests that wait for the end of drains.
@Suite(.timeLimit(.minutes(30))) final class DrainWaitsTests {
  private final class Service {
    var isServing = false
    var isDrained = false
  }

  private var waits = DrainWaits<Service, String>()
  private let one = Service()
  private let other = Service()

  /// What has become of each wait that is over, in words.
  private func settled(at now: Int64) -> [String] {
    waits.settled(at: now, isServing: \.isServing, isDrained: \.isDrained).map { wait, outcome in
      switch outcome {
      case .done: "\(wait.answer) done"
      case .resumed(let service): "\(wait.answer) resumed \(service === one ? 1 : 2)"
      case .late(let open): "\(wait.answer) late \(open.map { $0 === one ? 1 : 2 })"
      }
    }
  }

  @Test func areDoneWhenTheLastConnectionHasEnded() {
    waits.add([one, other], deadline: nil, "both")
    waits.add([one], deadline: nil, "one")
    #expect(settled(at: 0) == [])
    one.isDrained = true
    #expect(settled(at: 1) == ["one done"])
    #expect(settled(at: 2) == [])
    other.isDrained = true
    #expect(settled(at: 3) == ["both done"])
    #expect(waits.waits.isEmpty)
  }

  @Test func areLateAtTheirTime() {
    waits.add([one, other], deadline: 10, "both")
    waits.add([one], deadline: 20, "one")
    #expect(waits.nextDeadline == 10)
    one.isDrained = true
    #expect(settled(at: 9) == ["one done"])
    #expect(settled(at: 10) == ["both late [2]"])
    #expect(waits.nextDeadline == nil)
  }

  @Test func whatEndsInTimeIsNotLate() {
    waits.add([one], deadline: 10, "one")
    one.isDrained = true
    #expect(settled(at: 10) == ["one done"])
  }

  @Test func endWhenAServiceServesAgain() {
    waits.add([one, other], deadline: nil, "both")
    one.isDrained = true
    other.isServing = true
    #expect(settled(at: 0) == ["both resumed 2"])
  }

  @Test func areForgottenWithWhoeverAsked() {
    waits.add([one], deadline: nil, "gone")
    waits.add([one], deadline: nil, "there")
    waits.keep { $0 == "there" }
    one.isDrained = true
    #expect(settled(at: 0) == ["there done"])
  }
}
