@_spi(Begat) import UnixCore

/// Asks by connecting, each host over a connection of its own.
final class StreamSurvey: SurveyMethod {
  private let rule: AnswerRule
  private let mostAtOnce: Int
  private let deadline: Deadline
  /// Each host's race has a poller of its own, whose descriptor is watched by this one.
  private let poller: Poller
  private let room: UnsafeMutableRawBufferPointer
  private var questions: [Int: StreamQuestion] = [:]
  /// Those with addresses whose turn comes by time.
  private var staggered: Set<Int> = []
  /// The hosts that had no descriptor yet, the last one first.
  private var waiting: [(host: Int, addresses: [SocketAddress])] = []
  private var outcomes: [(host: Int, outcome: SurveyOutcome)] = []

  init(rule: AnswerRule, mostAtOnce: Int, until deadline: Deadline) throws(SystemCallError) {
    self.rule = rule
    self.mostAtOnce = mostAtOnce
    self.deadline = deadline
    poller = try Poller()
    room = .allocate(byteCount: rule.longest + 1, alignment: 16)
  }

  deinit { room.deallocate() }

  var descriptor: CInt { poller.descriptor.number }

  var due: Deadline {
    if !outcomes.isEmpty || !waiting.isEmpty && questions.count < mostAtOnce { return Deadline.immediate }
    return staggered.lazy.compactMap { self.questions[$0]?.due }.min() ?? .never
  }

  func ask(_ host: Int, at addresses: [SocketAddress]) {
    guard questions.count < mostAtOnce else {
      waiting.insert((host, addresses), at: 0)
      return
    }
    do throws(SystemCallError) {
      let question = try StreamQuestion(addresses, rule: rule, until: deadline)
      questions[host] = question
      if addresses.count > 1 { staggered.insert(host) }
      try poller.add(question.descriptor, .readable, token: UInt64(host))
    } catch { decide(host, .failed([error])) }
    advance(host)
  }

  func advance() -> [(host: Int, outcome: SurveyOutcome)] {
    var ready: [Int] = []
    poller.wait(milliseconds: 0) { ready.append(Int($0.token)) }
    for host in ready { advance(host) }
    for host in staggered where questions[host]?.due.isExpired == true { advance(host) }
    while questions.count < mostAtOnce, let next = waiting.popLast() { ask(next.host, at: next.addresses) }
    defer { outcomes = [] }
    return outcomes
  }

  private func advance(_ host: Int) {
    guard let question = questions[host] else { return }
    do throws(SystemCallError) {
      switch try question.advance(using: room) {
      case .underWay: break
      case .connected:
        staggered.remove(host)
        // The race's descriptor left the poller when it was closed.
        try poller.add(question.descriptor, .readable, token: UInt64(host))
      case .decided(let outcome): decide(host, outcome)
      }
    } catch { decide(host, .failed([error])) }
  }

  private func decide(_ host: Int, _ outcome: SurveyOutcome) {
    questions[host] = nil
    staggered.remove(host)
    outcomes.append((host, outcome))
  }

  func finish() -> [(host: Int, outcome: SurveyOutcome)] {
    for (host, question) in questions {
      if let outcome = question.unended { outcomes.append((host, outcome)) }
    }
    for (host, _) in waiting { outcomes.append((host, .notAsked)) }
    return advance()
  }
}
