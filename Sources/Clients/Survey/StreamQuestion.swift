@_spi(Begat) import UnixCore

/// The connection to one host: first the race of its addresses, then what the winner sends.
final class StreamQuestion {
  enum Step {
    case underWay
    /// Made just now: `descriptor` is another one.
    case connected
    case decided(SurveyOutcome)
  }

  private let rule: AnswerRule
  private var race: ConnectionRace?
  private var connection: ClientConnection?
  private var connected: Int64 = 0
  private var firstByte: (monotonic: Int64, wall: Int64)?
  private var bytes: [UInt8] = []

  init(_ addresses: [SocketAddress], rule: AnswerRule, until deadline: Deadline) throws(SystemCallError) {
    self.rule = rule
    race = try ConnectionRace(addresses, until: deadline)
  }

  /// Readable when `advance` has something to do.
  var descriptor: CInt { race?.descriptor ?? connection?.socket.number ?? -1 }

  /// When the next address is due.
  var due: Deadline { race?.due ?? .never }

  /// - Parameter room: where bytes are received to; one more than is kept.
  func advance(using room: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Step {
    if race == nil { return receive(into: room) }
    switch try race?.advance() {
    case .some(let winner):
      connected = SystemClock.monotonic()
      connection = consume winner
      race = nil
      return .connected
    case .none:
      if race?.hasFailed == true { return .decided(.failed(race?.errors ?? [])) }
      return .underWay
    }
  }

  private func receive(into room: UnsafeMutableRawBufferPointer) -> Step {
    while bytes.count <= rule.longest {
      let count: Int
      do throws(SystemCallError) {
        count = try connection?.socket.receive(into: room, waiting: false) ?? 0
      } catch {
        if error.code == .wouldBlock { return .underWay }
        return .decided(.failed([SystemCallError("recv", code: error.code)]))
      }
      if firstByte == nil { firstByte = (SystemClock.monotonic(), SystemClock.wall()) }
      bytes += room[..<count]
      if count == 0 || rule.enough.map({ bytes.count >= $0 }) == true { break }
    }
    return .decided(answer(bytes.count > rule.longest ? .tooLong : .complete))
  }

  /// What the peer had sent by the deadline; nil where that is nothing.
  var unended: SurveyOutcome? { bytes.isEmpty ? nil : answer(.unended) }

  private func answer(_ ending: SurveyAnswer.Ending) -> SurveyOutcome {
    guard let address = connection?.address, let firstByte else { return .failed("no answer") }
    return .answered(
      SurveyAnswer(
        bytes: UntrustedBytes(bytes.prefix(rule.longest)), ending: ending, address: address,
        roundTrip: .nanoseconds(firstByte.monotonic - connected), received: firstByte.wall))
  }
}
