import Glibc

extension TerminalConversation {
  /// Waits until one of the patterns is found in what the program wrote since the last match.
  ///
  /// The earliest place wins, and among patterns found at the same place the first in the list.  The match and what came
  /// before it are taken out of the buffer.  A match may be as long as the buffer's limit.
  ///
  /// - Parameter patterns: with `.endOfFile` or `.timeOut` among them, these are results, else errors.
  /// - Throws: `ConversationFailure`, which shows what came instead.
  @discardableResult
  public mutating func expect(
    _ patterns: [ConversationPattern], until deadline: Deadline = .never
  ) throws(ConversationFailure) -> ConversationMatch {
    do throws(ConversationFailure) { return try search(patterns, until: deadline) } catch {
      guard case .call(let failure) = error, failure.errno == .timedOut else { throw error }
      return try atTimeOut(patterns)
    }
  }

  private mutating func search(
    _ patterns: [ConversationPattern], until deadline: Deadline
  ) throws(ConversationFailure) -> ConversationMatch {
    /// How many bytes since the beginning were searched for literals.
    var searched: UInt64 = buffer.offset
    while true {
      if let match = try find(patterns, searched: searched, until: deadline) { return match }
      searched = buffer.offset + UInt64(buffer.count)
      let hasMore: Bool
      do throws(CallFailure) {
        hasMore = try fillForSearch()
        if hasMore { try channel.mustBeWanted() }
      } catch { throw .call(error) }
      if hasMore, !deadline.hasPassed { continue }
      if hasMore, let match = try find(patterns, searched: searched, until: deadline) { return match }
      if channel.hasEnded { return try atEnd(patterns, until: deadline) }
      var others = PollSet()
      let isInTime: Bool
      do throws(CallFailure) {
        isInTime = deadline.hasPassed ? false : try channel.wait(also: &others, until: deadline)
      } catch { throw .call(error) }
      if !isInTime { return try atTimeOut(patterns) }
    }
  }

  /// Waits for one pattern.
  @discardableResult
  public mutating func expect(
    _ pattern: ConversationPattern, until deadline: Deadline = .never
  ) throws(ConversationFailure) -> ConversationMatch { try expect([pattern], until: deadline) }

  /// Reads what is there now, as much as the buffer may hold: a regex then searches seldom.  False when nothing came.
  private mutating func fillForSearch() throws(CallFailure) -> Bool {
    // All in it was searched: what is too old may go.
    buffer.trim()
    let before = buffer.count
    // One buffer's worth at most, so that a match across both is still whole.
    while buffer.count - before < buffer.limit, try fillBeyondLimit() {}
    return buffer.count > before
  }

  private mutating func find(
    _ patterns: [ConversationPattern], searched: UInt64, until deadline: Deadline
  ) throws(ConversationFailure) -> ConversationMatch? {
    let place = try PatternPlace.first(
      of: patterns, in: buffer.bytes, searched: Int(searched - min(searched, buffer.offset)),
      isComplete: channel.hasEnded, until: deadline, cancelledBy: channel.cancellation)
    return place.map { $0.match(in: buffer.take($0.range.upperBound)) }
  }

  private mutating func atEnd(
    _ patterns: [ConversationPattern], until deadline: Deadline
  ) throws(ConversationFailure) -> ConversationMatch {
    // A character that has only begun is looked at now.
    if let match = try find(patterns, searched: buffer.offset, until: deadline) { return match }
    guard let index = patterns.endOfFileIndex else { throw .ended(expected: patterns.names, seen: lastBytes) }
    return ConversationMatch(index: index, bytes: [], before: buffer.take(buffer.count), captures: [])
  }

  private func atTimeOut(_ patterns: [ConversationPattern]) throws(ConversationFailure) -> ConversationMatch {
    guard let index = patterns.timeOutIndex else { throw .timedOut(expected: patterns.names, seen: lastBytes) }
    return ConversationMatch(index: index, bytes: [], before: Array(buffer.bytes), captures: [])
  }

  /// The last bytes that wait, at most 256: what came instead of something else.
  public var lastBytes: [UInt8] { Array(buffer.bytes.suffix(256)) }
}
