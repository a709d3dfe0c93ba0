import Glibc
@_spi(Begat) import UnixCore

/// Asks by an empty datagram to each host, answers matched to those who were asked.
final class DatagramSurvey: SurveyMethod {
  /// A host whose addresses are asked one after another.
  private struct Asking {
    var rest: ArraySlice<SocketAddress>
    var unanswered = 0
    var failures: [SystemCallError] = []
    /// When its next address is due, whatever the last one does.
    var due = Deadline.never
  }

  private var round: InquiryRound
  private var askings: [Int: Asking] = [:]
  /// The host and the address of each question of the round.
  private var questions: [(host: Int, address: SocketAddress)] = []
  private var outcomes: [(host: Int, outcome: SurveyOutcome)] = []

  private static let delay: Duration = .milliseconds(250)

  init(rule: AnswerRule) throws(SystemCallError) {
    round = try InquiryRound(DatagramInquiry(question: [], maxAnswerSize: rule.longest))
  }

  var descriptor: CInt { round.descriptor }

  var due: Deadline {
    if round.mayAsk || !outcomes.isEmpty { return Deadline.immediate }
    return askings.values.lazy.map(\.due).min() ?? .never
  }

  func ask(_ host: Int, at addresses: [SocketAddress]) {
    askings[host] = Asking(rest: addresses[...])
    askNext(host)
  }

  private func askNext(_ host: Int) {
    guard var asking = askings[host], let address = asking.rest.popFirst() else { return }
    asking.unanswered += 1
    asking.due = asking.rest.isEmpty ? .never : Deadline(after: Self.delay)
    askings[host] = asking
    _ = round.add(address)
    questions.append((host, address))
  }

  func advance() throws(SystemCallError) -> [(host: Int, outcome: SurveyOutcome)] {
    for (host, asking) in askings where asking.due.isExpired { askNext(host) }
    for index in try round.advance() { take(index) }
    defer { outcomes = [] }
    return outcomes
  }

  func finish() throws(SystemCallError) -> [(host: Int, outcome: SurveyOutcome)] {
    for index in try round.collectLate() { take(index) }
    for index in round.unasked { outcomes.append((questions[index].host, .notAsked)) }
    defer { outcomes = [] }
    return outcomes
  }

  private func take(_ index: Int) {
    let (host, address) = questions[index]
    guard askings[host] != nil else { return }
    switch round.outcome(of: index) {
    case .answered(let answer):
      askings[host] = nil
      outcomes.append(
        (
          host,
          .answered(
            SurveyAnswer(
              bytes: UntrustedBytes(answer.bytes), ending: answer.isTruncated ? .tooLong : .complete, address: address,
              roundTrip: answer.roundTrip, received: SystemClock.wall()))
        ))
    case .refused: fail(host, SystemCallError("recv", on: "\(address)", code: .connectionRefused))
    case .failed(let failure): fail(host, SystemCallError(failure.call, on: "\(address)", code: failure.code))
    case .silent: break
    }
  }

  private static let broadcast = SurveyOutcome.failed("a broadcast address, which is asked by time --broadcast")

  /// Whether the permission to broadcast was missing; a route may prohibit an address too.
  private static func isBroadcast(_ failure: SystemCallError) -> Bool {
    guard failure.code == .permissionDenied, let address = SocketAddress(failure.object ?? ""),
      let socket = try? Descriptor.socket(family: .ipv4, kind: .datagram)
    else { return false }
    try? socket.setOption(SOL_SOCKET, SO_BROADCAST, 1)
    return (try? ClientSocket.connect(socket, to: address)) != nil
  }

  private func fail(_ host: Int, _ failure: SystemCallError) {
    guard var asking = askings[host] else { return }
    asking.unanswered -= 1
    asking.failures.append(failure)
    askings[host] = asking
    if !asking.rest.isEmpty {
      askNext(host)
    } else if asking.unanswered == 0 {
      askings[host] = nil
      outcomes.append((host, Self.isBroadcast(failure) ? Self.broadcast : .failed(asking.failures)))
    }
  }
}
