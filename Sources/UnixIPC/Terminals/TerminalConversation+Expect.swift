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
    /// How many bytes since the beginning were searched for literals.
    var searched: UInt64 = buffer.offset
    while true {
      if let match = try find(patterns, searched: searched) { return match }
      searched = buffer.offset + UInt64(buffer.count)
      let hasMore: Bool
      do throws(CallFailure) { hasMore = try fillForSearch() } catch { throw .call(error) }
      if hasMore, !deadline.hasPassed { continue }
      if hasMore, let match = try find(patterns, searched: searched) { return match }
      if channel.hasEnded { return try atEnd(patterns) }
      var others: [pollfd] = []
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

  private struct Place {
    let index: Int
    let range: Range<Int>
    var captures: [Range<Int>?] = []
  }

  private mutating func find(
    _ patterns: [ConversationPattern], searched: UInt64
  ) throws(ConversationFailure) -> ConversationMatch? {
    var best: Place?
    var decoded: DecodedText?
    let old = Int(searched - min(searched, buffer.offset))
    for (index, pattern) in patterns.enumerated() {
      let place: Place?
      switch pattern.kind {
      case .literal(let wanted):
        let from = max(0, old - max(0, wanted.count - 1))
        place = buffer.find(wanted, from: from).map { Place(index: index, range: $0..<($0 + wanted.count)) }
      case .regex(let regex):
        let text = decoded ?? DecodedText(buffer.bytes, isComplete: channel.hasEnded)
        decoded = text
        place = try TerminalConversation.find(regex, index: index, in: text)
      case .endOfFile, .timeOut: place = nil
      }
      if let place, best.map({ place.range.lowerBound < $0.range.lowerBound }) ?? true { best = place }
    }
    return best.map { take($0) }
  }

  private static func find(
    _ regex: Regex<AnyRegexOutput>, index: Int, in decoded: DecodedText
  ) throws(ConversationFailure) -> Place? {
    do {
      guard let match = try regex.firstMatch(in: decoded.text) else { return nil }
      let bytes = { (range: Range<String.Index>) in
        decoded.byteOffset(of: range.lowerBound)..<decoded.byteOffset(of: range.upperBound)
      }
      return Place(
        index: index, range: bytes(match.range), captures: match.output.dropFirst().map { $0.range.map(bytes) })
    } catch { throw .regex("\(error)") }
  }

  private mutating func take(_ place: Place) -> ConversationMatch {
    let taken = buffer.take(place.range.upperBound)
    return ConversationMatch(
      index: place.index, bytes: Array(taken[place.range]), before: Array(taken[..<place.range.lowerBound]),
      captures: place.captures.map { $0.map { Array(taken[$0]) } })
  }

  private mutating func atEnd(_ patterns: [ConversationPattern]) throws(ConversationFailure) -> ConversationMatch {
    // A character that has only begun is looked at now.
    if let match = try find(patterns, searched: buffer.offset) { return match }
    let index = patterns.firstIndex { if case .endOfFile = $0.kind { true } else { false } }
    guard let index else { throw .ended(expected: TerminalConversation.names(patterns), seen: lastBytes) }
    return ConversationMatch(index: index, bytes: [], before: buffer.take(buffer.count), captures: [])
  }

  private func atTimeOut(_ patterns: [ConversationPattern]) throws(ConversationFailure) -> ConversationMatch {
    let index = patterns.firstIndex { if case .timeOut = $0.kind { true } else { false } }
    guard let index else { throw .timedOut(expected: TerminalConversation.names(patterns), seen: lastBytes) }
    return ConversationMatch(index: index, bytes: [], before: Array(buffer.bytes), captures: [])
  }

  private var lastBytes: [UInt8] { Array(buffer.bytes.suffix(256)) }

  private static func names(_ patterns: [ConversationPattern]) -> String {
    patterns.map { $0.name }.joined(separator: ", ")
  }
}
