import Glibc

/// One question that is asked of many hosts at once by datagram, each answer matched to the host that was asked.
///
/// Each host is asked by a socket of its own, connected to it: only that host can answer, and its refusal is heard.  All
/// are awaited together until one deadline.  Nothing is sent twice: a datagram that is lost is a silent host.
///
/// Source: udp(7), perlipc "UDP: Message Passing".
public struct DatagramInquiry: Hashable, Sendable {
  /// The result of asking one host.
  public enum Outcome: Hashable, Sendable {
    /// The host answered.
    case answered(Answer)
    /// The host reports that no socket receives there (`ECONNREFUSED`).
    case refused
    /// Nothing came until the deadline.
    case silent
    /// It could not be asked, or the network says that it cannot be reached.
    case failed(SystemCallError)
  }

  /// What a host has answered.
  public struct Answer: Hashable, Sendable {
    /// The answer, at most `maxAnswerSize` bytes.
    public let bytes: [UInt8]
    /// Whether more was sent than `maxAnswerSize`; the rest is lost.
    public let isTruncated: Bool
    /// The time from sending the question to reading the answer.
    public let roundTrip: Duration
    /// When the answer was read: the time since 1970-01-01 00:00 UTC.
    public let receivedAt: Duration
  }

  /// The question; an empty one is an empty datagram.
  public var question: [UInt8]
  /// The number of bytes of an answer that are kept.
  public var maxAnswerSize: Int

  /// Creates an inquiry that can be asked any number of times.
  public init(question: [UInt8], maxAnswerSize: Int = 2048) {
    self.question = question
    self.maxAnswerSize = maxAnswerSize
  }

  /// Creates an inquiry whose question is a text.
  public init(question: String, maxAnswerSize: Int = 2048) {
    self.init(question: Array(question.utf8), maxAnswerSize: maxAnswerSize)
  }

  /// Asks all hosts and waits until each has answered or the deadline has passed.
  ///
  /// Each host that is waited for needs a descriptor (`ResourceLimit.openFiles`).  When there is none left, the others
  /// are asked as answers set some free; those whose turn has not come by the deadline are `failed` with `EMFILE`.
  ///
  /// - Parameter addresses: of hosts, not of groups: what answers a broadcast has another address.
  /// - Parameter deadline: with `never`, a silent host is waited for without end.
  /// - Returns: one outcome for each address, in the same order.
  /// - Throws: what concerns all of them; what concerns one host is its outcome.
  public func ask(_ addresses: [SocketAddress], until deadline: Deadline) throws(SystemCallError) -> [Outcome] {
    var round = try InquiryRound(self)
    for address in addresses { _ = round.add(address) }
    try round.run(until: deadline)
    return round.finalOutcomes
  }
}

extension DatagramInquiry.Outcome: CustomStringConvertible {
  /// The answer; nil for every other outcome.
  public var answer: DatagramInquiry.Answer? {
    guard case .answered(let answer) = self else { return nil }
    return answer
  }

  /// What came of it in a few words: "4 bytes after 0.0012 seconds", "refused", "silent", or the error.
  public var description: String {
    switch self {
    case .answered(let answer):
      "\(answer.bytes.count) bytes\(answer.isTruncated ? " and more" : "") after \(answer.roundTrip)"
    case .refused: "refused"
    case .silent: "silent"
    case .failed(let error): "\(error)"
    }
  }
}
