import Control
import Testing

@testable import Supervision

/// Requests to end connections, which several listeners answer.
@Suite(.timeLimit(.minutes(30))) struct EndRequestTests {
  /// A connection that was shown may have ended before its listener is told.
  @Test func aNamedConnectionThatHasEndedIsAProblem() {
    var answers: [ControlAnswer] = []
    let request = EndRequest(problems: [], named: 2) { answers.append($0) }
    for _ in 0..<2 { request.expectAnswer() }
    request.settle(count: 1)
    request.settle(count: 0)
    #expect(answers == [.order(OrderReport("1 connection is ended", count: 1, problems: ["1 connection had ended"]))])
  }

  @Test func isAnsweredOnceWithTheSum() {
    var answers: [ControlAnswer] = []
    let request = EndRequest(problems: ["no connection 7"]) { answers.append($0) }
    for _ in 0..<3 { request.expectAnswer() }
    request.settle(count: 2)
    request.settle(problem: "a listener does not answer")
    #expect(answers.isEmpty)
    request.settle(count: 3)
    guard case .order(let report) = answers.first else { return #expect(Bool(false), "\(answers)") }
    #expect(answers.count == 1)
    #expect(report.count == 5 && report.message == "5 connections are ended")
    #expect(report.problems == ["no connection 7", "a listener does not answer"])
  }
}
