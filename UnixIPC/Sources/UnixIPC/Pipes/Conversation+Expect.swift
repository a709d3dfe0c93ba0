@_spi(Begat) import UnixCore

extension Conversation {
  /// Waits until one of the patterns is found in what the program wrote since the last match.
  ///
  /// The earliest place wins, and among patterns found at the same place the first in the list.  The match and what came
  /// before it are taken out of what waits.  A match may be as long as the capacity.
  ///
  /// - Parameter patterns: with `.endOfFile`, the end of the output, or `.timeOut` among them, these are results, else
  ///   errors.
  /// - Throws: `ConversationError`, which shows what came instead; `ENOBUFS` when more waits than may.
  @discardableResult
  public mutating func expect(
    _ patterns: [ConversationPattern], until deadline: Deadline = .never
  ) throws(ConversationError) -> ConversationMatch {
    do throws(ConversationError) { return try search(patterns, until: deadline) } catch {
      guard case .call(let failure) = error, failure.code == .timedOut else { throw error }
      return try atTimeOut(patterns)
    }
  }

  private mutating func search(
    _ patterns: [ConversationPattern], until deadline: Deadline
  ) throws(ConversationError) -> ConversationMatch {
    var searched = 0
    while true {
      let place = try PatternPlace.first(
        of: patterns, in: output.waiting, searched: searched, isComplete: output.hasEnded, until: deadline,
        cancelledBy: cancellation?.number ?? -1)
      if let place { return place.match(in: output.take(place.range.upperBound)) }
      if output.hasEnded { return try atEnd(patterns) }
      let before = droppedByteCount
      searched = output.waitingCount
      do throws(SystemCallError) {
        // All of it was searched: what is too old may go.
        try boundWaiting()
        try mustBe(before: deadline)
        _ = try carry([], from: 0, until: deadline)
        try fillForSearch(from: searched)
      } catch { throw .call(error) }
      searched -= min(searched, Int(droppedByteCount - before))
    }
  }

  /// Reads what is there now, for a search costs as much for a small piece as for a large one.
  private mutating func fillForSearch(from searched: Int) throws(SystemCallError) {
    while output.waitingCount < min(capacity, searched + 65536), !output.hasEnded,
      output.descriptor.wait(for: .readable, until: .immediate)
    { try fill(.output) }
  }

  /// Waits for one pattern.
  @discardableResult
  public mutating func expect(
    _ pattern: ConversationPattern, until deadline: Deadline = .never
  ) throws(ConversationError) -> ConversationMatch { try expect([pattern], until: deadline) }

  private mutating func atEnd(_ patterns: [ConversationPattern]) throws(ConversationError) -> ConversationMatch {
    guard let index = patterns.endOfFileIndex else { throw .ended(expected: patterns.names, seen: lastBytes) }
    return ConversationMatch(index: index, bytes: [], before: takeOutput(), captures: [])
  }

  private func atTimeOut(_ patterns: [ConversationPattern]) throws(ConversationError) -> ConversationMatch {
    guard let index = patterns.timeOutIndex else { throw .timedOut(expected: patterns.names, seen: lastBytes) }
    return ConversationMatch(index: index, bytes: [], before: Array(output.waiting), captures: [])
  }
}
