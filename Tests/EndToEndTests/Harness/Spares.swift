import Glibc
@_spi(Begat) import UnixCore

/// The spares of a listener.
struct Spares {
  let listener: pid_t

  init(of listener: pid_t) { self.listener = listener }

  /// Those that have told ps what they are; they wait for clients, or are about to.
  var all: [ProcessFacts] { ProcessFacts.children(of: listener).filter { $0.isSpare && !$0.isZombie } }

  /// Lets clients come until this number of spares waits.
  ///
  /// - Parameter visit: a number of clients at the same time, which then leave.
  func grow(to count: Int, within limit: Duration = .seconds(20), _ visit: () throws -> Void) throws -> [ProcessFacts] {
    let deadline = Deadline(within: limit)
    while !deadline.hasPassed {
      try visit()
      if eventually(within: .milliseconds(300), { all.count == count && areAsleep }) { return all }
    }
    throw HarnessFailure("\(all.count) spares, not \(count)")
  }

  /// Whether all of them wait.
  var areAsleep: Bool { all.allSatisfy { ProcessFacts($0.process)?.state == "S" } }

  /// How often each has begun to wait for something.
  static func switches(of process: pid_t) -> Int? {
    ProcessFacts.statusLine("voluntary_ctxt_switches", of: process).flatMap { Int($0) }
  }
}
