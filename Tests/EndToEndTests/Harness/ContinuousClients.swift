import Foundation
@_spi(Begat) import UnixCore

/// Clients that connect, are served and connect again, until they are told to stop.
final class ContinuousClients: @unchecked Sendable {
  private let condition = NSCondition()
  private var isStopping = false
  private var running: Int
  private var answers: [String: Int] = [:]
  private var problems: [String] = []

  /// - Parameter question: sent before the end of sending; nil sends nothing.
  /// - Parameter isRight: whether a whole answer is one that the service may give.
  init(
    _ count: Int, at address: String, asking question: String? = nil,
    _ isRight: @escaping @Sendable (String) -> Bool
  ) {
    running = count
    for _ in 0..<count {
      Thread.detachNewThread { [self] in
        while change({ !isStopping }) {
          do {
            let answer = String(decoding: try ask(address, question), as: UTF8.self)
            change {
              answers[answer, default: 0] += 1
              if !isRight(answer) { problems.append("answer “\(answer)”") }
            }
          } catch { change { problems.append("\(error)") } }
        }
        change { running -= 1 }
      }
    }
  }

  @discardableResult
  private func change<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    defer { condition.broadcast() }
    return body()
  }

  /// Stops them after their last answers.
  ///
  /// - Returns: how many clients had each answer, and what befell the others.
  func stop() throws -> (answers: [String: Int], problems: [String]) {
    condition.lock()
    defer { condition.unlock() }
    isStopping = true
    let end = Date(timeIntervalSinceNow: 30)
    while running > 0 { if !condition.wait(until: end) { throw HarnessFailure("\(running) clients do not end") } }
    return (answers, problems)
  }

  /// Waits until so many clients more have been served.
  func await(more count: Int, within limit: Duration = .seconds(20)) throws {
    condition.lock()
    defer { condition.unlock() }
    func served() -> Int { answers.values.reduce(0, +) }
    let goal = served() + count
    let end = Date(timeIntervalSinceNow: Double(limit.milliseconds) / 1000)
    while served() < goal {
      if !condition.wait(until: end) { throw HarnessFailure("\(served()) of \(goal) clients served; \(problems)") }
    }
  }
}
