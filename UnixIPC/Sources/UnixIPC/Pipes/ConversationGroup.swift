import Glibc
@_spi(Begat) import UnixCore

/// Several conversations with one owner, over pipes and on terminals, that are waited for together.
///
///     var group = ConversationGroup()
///     let sensor = group.add(try Conversation(with: reader))
///     let shell = group.add(try TerminalConversation(login))
///     while let place = try group.waitForAny(until: deadline) {
///       if place == sensor { try group.withConversation(at: sensor) { show(try $0.read()) } }
///       …
///     }
///
/// When the owner lets go of the group, the conversations' programs are ended as a conversation's is.
public struct ConversationGroup: ~Copyable {
  /// An object, since arrays hold no values with one owner.
  fileprivate final class Member {
    var pipes: Conversation?
    var terminal: TerminalConversation?

    init(_ conversation: consuming Conversation) { pipes = consume conversation }
    init(_ conversation: consuming TerminalConversation) { terminal = consume conversation }
  }

  /// Nil in the place of a conversation that was taken.
  private var members: [Member?] = []

  /// Creates an empty group.
  public init() {}

  /// How many conversations are in the group.
  public var count: Int { members.count { $0 != nil } }

  /// Adds a conversation, which the group owns from now on.
  ///
  /// - Returns: its place, which it keeps.
  public mutating func add(_ conversation: consuming Conversation) -> Int {
    members.append(Member(conversation))
    return members.count - 1
  }

  /// Adds a conversation on a terminal, which the group owns from now on.
  ///
  /// - Returns: its place, which it keeps.
  public mutating func add(_ conversation: consuming TerminalConversation) -> Int {
    members.append(Member(conversation))
    return members.count - 1
  }

  /// Lends a conversation to the body; nil, without a call of the body, if none is in this place.
  public func withConversation<Result, Failure: Error>(
    at place: Int, _ body: (inout Conversation) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let member = member(at: place), var lent = member.pipes.take() else { return nil }
    do throws(Failure) {
      let result = try body(&lent)
      member.pipes = consume lent
      return result
    } catch {
      member.pipes = consume lent
      throw error
    }
  }

  /// Lends a conversation on a terminal to the body; nil, without a call of the body, if none is in this place.
  public func withTerminal<Result, Failure: Error>(
    at place: Int, _ body: (inout TerminalConversation) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let member = member(at: place), var lent = member.terminal.take() else { return nil }
    do throws(Failure) {
      let result = try body(&lent)
      member.terminal = consume lent
      return result
    } catch {
      member.terminal = consume lent
      throw error
    }
  }

  /// Removes a conversation and hands it over; nil if none is in this place.
  public mutating func takeConversation(at place: Int) -> Conversation? {
    guard let member = member(at: place), let taken = member.pipes.take() else { return nil }
    members[place] = nil
    return taken
  }

  /// Removes a conversation on a terminal and hands it over; nil if none is in this place.
  public mutating func takeTerminal(at place: Int) -> TerminalConversation? {
    guard let member = member(at: place), let taken = member.terminal.take() else { return nil }
    members[place] = nil
    return taken
  }

  private func member(at place: Int) -> Member? { members.indices.contains(place) ? members[place] : nil }

  /// Waits until a program has written something, or will write nothing more.
  ///
  /// What it has written is read, and waits in the conversation: `read` returns it without waiting, and `readLine` and
  /// `expect` with `Deadline.immediate` return what is complete.  A conversation that has ended is returned each time, until
  /// it is taken out of the group.
  ///
  /// - Parameter deadline: how long to wait.
  /// - Parameter cancellation: ends the wait when it is cancelled.
  /// - Returns: the conversation's place; of several the lowest; nil if the group is empty.
  /// - Throws: `ETIMEDOUT` at the deadline, and at one of `withDeadline`; `ECANCELED`; `ENOBUFS` for a conversation that
  ///   has no capacity left.
  ///
  /// Source: poll(2).
  public func waitForAny(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> Int? {
    let deadline = min(deadline, .current)
    defer { withExtendedLifetime(cancellation) {} }
    while count > 0 {
      for (place, member) in members.enumerated() {
        if let member, try member.takesNews() { return place }
      }
      if cancellation?.isCancelled == true { throw SystemCallError("poll", on: "conversations", code: .canceled) }
      if deadline.isExpired { throw SystemCallError("poll", on: "conversations", code: .timedOut) }
      var list = PollList()
      for member in members { member?.awaitedNumbers.forEach { list.add($0) } }
      list.add(cancellation?.number ?? -1)
      let isDraining = members.contains { $0?.isDraining == true }
      let limit = isDraining ? min(deadline, Deadline(after: .milliseconds(50))) : deadline
      // The members find out what is ready.
      _ = try list.wait(until: limit)
    }
    return nil
  }
}

extension ConversationGroup.Member {
  /// Whether a terminal's program has ended, whose last output may still come.
  fileprivate var isDraining: Bool {
    switch terminal {
    case .some(let terminal): terminal.channel.isDraining
    case .none: false
    }
  }

  /// What is to be waited for.
  fileprivate var awaitedNumbers: [CInt] {
    var numbers: [CInt] = []
    switch pipes {
    case .some(let pipes): numbers += [pipes.outputNumber, pipes.errorsNumber]
    case .none: break
    }
    switch terminal {
    case .some(let terminal): numbers += terminal.channel.awaitedNumbers
    case .none: break
    }
    return numbers
  }

  /// Reads what is there; whether something was, or the output has ended.
  fileprivate func takesNews() throws(SystemCallError) -> Bool {
    if let hasNews = try pipes?.takesNews() { return hasNews }
    return try terminal?.takesNews() ?? false
  }
}

extension Conversation {
  fileprivate mutating func takesNews() throws(SystemCallError) -> Bool {
    if isOutputAtEnd { return true }
    let before = waitingCount
    for (number, stream) in [(outputNumber, Stream.output), (errorsNumber, .errors)] where number != -1 {
      if !PollSet.readiness(of: number, for: .readable).isEmpty { try fill(stream) }
    }
    try boundWaiting()
    return waitingCount != before || isOutputAtEnd
  }
}

extension TerminalConversation {
  fileprivate mutating func takesNews() throws(SystemCallError) -> Bool {
    if channel.hasEnded { return true }
    var others = PollSet()
    guard try channel.wait(also: &others, until: .immediate) else { return false }
    let isFilled = try fill()
    return isFilled || channel.hasEnded
  }
}
