/// The requests whose answer waits for the last connection of drained services.
///
/// Services are known by identity: one that is removed by a reload still has connections to wait for.
struct DrainWaits<Service: AnyObject, Answer> {
  /// The outcome of a wait.
  enum Outcome {
    case done
    /// A service accepts clients again.
    case resumed(Service)
    /// Time is over; these have connections.
    case late([Service])
  }

  struct Wait {
    let services: [Service]
    /// CLOCK_MONOTONIC nanoseconds; nil for no limit.
    let deadline: Int64?
    let answer: Answer
  }

  private(set) var waits: [Wait] = []

  /// When the next one is to be answered whatever happens.
  var nextDeadline: Int64? { waits.compactMap(\.deadline).min() }

  mutating func add(_ services: [Service], deadline: Int64?, _ answer: Answer) {
    waits.append(Wait(services: services, deadline: deadline, answer: answer))
  }

  /// Takes the waits out that are over.
  ///
  /// - Parameter isServing: whether a service accepts clients and has not said that it will close.
  /// - Parameter isDrained: whether it accepts none and its last connection has ended.
  mutating func settled(
    at now: Int64, isServing: (Service) -> Bool, isDrained: (Service) -> Bool
  ) -> [(wait: Wait, outcome: Outcome)] {
    guard !waits.isEmpty else { return [] }
    var rest: [Wait] = []
    var settled: [(Wait, Outcome)] = []
    for wait in waits {
      let open = wait.services.filter { !isDrained($0) }
      if open.isEmpty {
        settled.append((wait, .done))
      } else if let resumed = open.first(where: isServing) {
        settled.append((wait, .resumed(resumed)))
      } else if let deadline = wait.deadline, deadline <= now {
        settled.append((wait, .late(open)))
      } else {
        rest.append(wait)
      }
    }
    waits = rest
    return settled
  }

  /// Keeps the waits that hold; the others are dropped without an answer.
  mutating func keep(where isWanted: (Answer) -> Bool) { waits.removeAll { !isWanted($0.answer) } }
}
