import Glibc

/// One question that is asked of many hosts at once by datagram, each answer matched to the host that was asked.
///
/// Each host is asked by a socket of its own, connected to it: only that host can answer, and its refusal is heard.  All
/// are awaited together until one deadline.  Nothing is sent twice: a datagram that is lost is a silent host.
///
/// Source: udp(7), perlipc "UDP: Message Passing".
public struct DatagramInquiry: Hashable, Sendable {
  /// What came of asking one host.
  public enum Outcome: Hashable, Sendable {
    case answered(Answer)
    /// Nobody listens there (`ECONNREFUSED`): the host itself says so.
    case refused
    /// Nothing came until the deadline.
    case silent
    /// It could not be asked, or the network says that it cannot be reached.
    case failed(SystemCallError)
  }

  public struct Answer: Hashable, Sendable {
    public let bytes: [UInt8]
    /// Whether more was sent than `longestAnswer`; the rest is lost.
    public let isTruncated: Bool
    /// From sending the question to reading the answer.
    public let roundTrip: Duration
  }

  /// May be empty: then the datagram is.
  public var question: [UInt8]
  /// How many bytes of an answer are kept.
  public var longestAnswer: Int

  public init(question: [UInt8], longestAnswer: Int = 2048) {
    self.question = question
    self.longestAnswer = longestAnswer
  }

  /// Asks them all and waits until each has answered or the deadline has passed.
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
