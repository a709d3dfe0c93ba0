@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// One short question to many hosts at once, by one thread, until one time limit for all.
///
/// A host's name, silence or refusal holds up no other.  Each has one outcome, told when it is known.
struct Survey {
  let targets: [ConnectionTarget]
  /// By datagrams, or each over a connection of its own, to which nothing is sent.
  let transport: Transport
  let rule: AnswerRule
  let timeout: Duration

  /// How often `tick` is called.
  private static let tickInterval: Duration = .seconds(1)

  private static let mostAtATime = 16

  /// Runs until each has its outcome.
  ///
  /// - Parameter tick: called about once a second while some are waited for.
  /// - Throws: what concerns all of them; what concerns one is its outcome.
  func run(
    tick: (Deadline) -> Void = { _ in }, decided: (Int, SurveyOutcome) -> Void
  ) throws(SystemCallError) {
    let deadline = Deadline(after: timeout)
    let lookups = try HostLookups(of: targets)
    let method = try method(until: deadline)
    let poller = try Poller()
    try poller.add(lookups.descriptor, .readable, token: 0)
    try poller.add(method.descriptor, .readable, token: 1)
    var places = targets.map { _ in Place.lookedUp }
    var left = targets.count
    var found: [HostLookups.Found] = []
    var nextTick = Deadline(after: Self.tickInterval)

    func decide(_ host: Int, _ outcome: SurveyOutcome) {
      guard places[host] != .decided else { return }
      places[host] = .decided
      left -= 1
      decided(host, outcome)
    }
    while left > 0, !deadline.isExpired {
      found += lookups.take()
      // A few, then those who have answered already: else their answers would wait until all are asked.
      for one in found.prefix(Self.mostAtATime) {
        switch one.addresses {
        case .success(let addresses):
          places[one.index] = .asked
          method.ask(one.index, at: addresses)
        case .failure(let failure): decide(one.index, .failed("unknown host: \(failure.reason)"))
        }
      }
      found.removeFirst(min(Self.mostAtATime, found.count))
      for (host, outcome) in try method.advance() { decide(host, outcome) }
      if nextTick.isExpired {
        tick(deadline)
        nextTick = Deadline(after: Self.tickInterval)
      }
      if left > 0, found.isEmpty {
        poller.wait(milliseconds: min(method.due, deadline, nextTick).milliseconds) { _ in }
      }
    }
    for (host, outcome) in try method.finish() { decide(host, outcome) }
    for host in places.indices {
      let what = places[host] == .lookedUp ? "no answer about its name" : "no answer"
      decide(host, .failed("\(what) within \(Self.text(of: timeout))"))
    }
  }

  private enum Place {
    case lookedUp, asked, decided
  }

  private func method(until deadline: Deadline) throws(SystemCallError) -> any SurveyMethod {
    // Of each host: its race and two attempts, besides what the process has.
    let wanted = targets.count * 3 + 64
    let limit = Int(clamping: ResourceLimit.openFiles.raise(to: UInt64(wanted)))
    switch transport {
    case .tcp: return try StreamSurvey(rule: rule, mostAtOnce: max(1, (limit - 64) / 3), until: deadline)
    case .udp: return try DatagramSurvey(rule: rule)
    }
  }

  static func text(of limit: Duration) -> String {
    let milliseconds = limit.nanoseconds / 1_000_000
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
  }
}
