import Control
@_spi(Begat) import UnixCore

/// A request to end connections, until every listener that it concerns has answered.
final class EndRequest {
  private let answer: (ControlAnswer) -> Void
  /// When listeners that have not answered are not waited for any more, CLOCK_MONOTONIC nanoseconds.
  let deadline = SystemClock.monotonic() + patience
  private var waiting = 0
  private var count = 0
  private(set) var problems: [String]
  /// How many connections were named and found; nil if none were named.
  private let named: Int?

  private static let patience: Int64 = 5_000_000_000

  /// - Parameter problems: connections that were not found; one line each.
  /// - Parameter named: how many were; nil if the request names none by itself.
  init(problems: [String], named: Int? = nil, answer: @escaping (ControlAnswer) -> Void) {
    self.problems = problems
    self.named = named
    self.answer = answer
  }

  func expectAnswer() { waiting += 1 }

  /// A listener has told so many connections to end, or could not be told.
  func settle(count: Int = 0, problem: String? = nil) {
    waiting -= 1
    self.count += count
    if let problem { problems.append(problem) }
    answerIfDone()
  }

  func answerIfDone() {
    guard waiting == 0 else { return }
    if let named, count < named { problems.append("\(counted(named - count, "connection", "connections")) had ended") }
    answer(
      .order(
        OrderReport("\(counted(count, "connection is", "connections are")) ended", count: count, problems: problems)))
  }
}

/// The orders to end connections that listeners have not answered yet.
struct EndOrders {
  struct Entry {
    let request: EndRequest
    let generation: Generation
  }

  private var entries: [UInt32: Entry] = [:]
  private var lastNumber: UInt32 = 0

  /// When the oldest is to be given up; nil if there is none.
  var deadline: Int64? { entries.values.lazy.map(\.request.deadline).min() }

  /// - Returns: the number of the order.
  mutating func add(_ request: EndRequest, to generation: Generation) -> UInt32 {
    lastNumber &+= 1
    entries[lastNumber] = Entry(request: request, generation: generation)
    request.expectAnswer()
    return lastNumber
  }

  /// Takes the order of this number out, if it was given to this listener.
  mutating func take(_ number: UInt32, from generation: Generation) -> EndRequest? {
    guard let entry = entries[number], entry.generation === generation else { return nil }
    entries[number] = nil
    return entry.request
  }

  /// Takes out the orders of a listener that has ended, and its connections with it.
  mutating func take(of generation: Generation) -> [EndRequest] { take { $0.generation === generation } }

  /// Takes out the orders that were not answered in time.
  mutating func takeLate(_ now: Int64) -> [EndRequest] { take { $0.request.deadline <= now } }

  private mutating func take(where isWanted: (Entry) -> Bool) -> [EndRequest] {
    let found = entries.filter { isWanted($1) }
    for number in found.keys { entries[number] = nil }
    return found.values.map(\.request)
  }
}
