import CPlatform
@_spi(Begat) import UnixCore

/// Where one of several patterns was found.
struct PatternPlace {
  /// Of the pattern.
  let index: Int
  /// Counted from the first byte that was searched.
  let range: Range<Int>
  private var captures: [Range<Int>?] = []

  private init(index: Int, range: Range<Int>, captures: [Range<Int>?] = []) {
    self.index = index
    self.range = range
    self.captures = captures
  }

  /// The earliest place of all, and of patterns at the same place the first in the list.
  ///
  /// - Parameter searched: how many of the bytes were searched for literals before, in vain.
  /// - Parameter isComplete: whether no more bytes will come.
  /// - Throws: `ETIMEDOUT` and `ECANCELED` also while a regex is looked for.
  static func first(
    of patterns: [ConversationPattern], in bytes: ArraySlice<UInt8>, searched: Int, isComplete: Bool,
    until deadline: Deadline, cancelledBy cancellation: CInt
  ) throws(ConversationError) -> PatternPlace? {
    var best: PatternPlace?
    var decoded: DecodedText?
    for (index, pattern) in patterns.enumerated() {
      let place: PatternPlace?
      switch pattern.kind {
      case .literal(let wanted):
        let from = max(0, searched - max(0, wanted.count - 1))
        place = bytes.find(wanted, from: from).map { PatternPlace(index: index, range: $0..<($0 + wanted.count)) }
      case .regex(let regex, let count):
        let start = count.map { bytes.lineStart(before: searched - $0) } ?? 0
        let text: DecodedText
        if start == 0 {
          text = decoded ?? DecodedText(bytes, isComplete: isComplete)
          decoded = text
        } else {
          text = DecodedText(bytes.dropFirst(start), isComplete: isComplete)
        }
        place = try PatternPlace.find(
          regex, index: index, in: text, from: start, until: deadline, cancelledBy: cancellation)
      case .endOfFile, .timeOut: place = nil
      }
      if let place, best.map({ place.range.lowerBound < $0.range.lowerBound }) ?? true { best = place }
    }
    return best
  }

  /// - Parameter start: how many bytes come before the decoded text.
  private static func find(
    _ regex: Regex<AnyRegexOutput>, index: Int, in decoded: DecodedText, from start: Int, until deadline: Deadline,
    cancelledBy cancellation: CInt
  ) throws(ConversationError) -> PatternPlace? {
    do {
      let match = try PatternSearch.firstMatch(
        of: regex, in: decoded.text, until: deadline, cancelledBy: cancellation)
      guard let match else { return nil }
      let bytes = { (range: Range<String.Index>) in
        (start + decoded.byteOffset(of: range.lowerBound))..<(start + decoded.byteOffset(of: range.upperBound))
      }
      return PatternPlace(
        index: index, range: bytes(match.range), captures: match.output.dropFirst().map { $0.range.map(bytes) })
    } catch let failure as SystemCallError {
      throw .call(failure)
    } catch { throw .regex("\(error)") }
  }

  /// - Parameter taken: the bytes that were searched, up to the end of the place.
  func match(in taken: [UInt8]) -> ConversationMatch {
    ConversationMatch(
      index: index, bytes: Array(taken[range]), before: Array(taken[..<range.lowerBound]),
      captures: captures.map { $0.map { Array(taken[$0]) } })
  }
}

extension ArraySlice<UInt8> {
  /// How many bytes come before the line of the byte at an offset; 0 for one that is not here.
  func lineStart(before offset: Int) -> Int {
    guard offset > 0 else { return 0 }
    return prefix(offset).lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 - startIndex } ?? 0
  }

  /// Where the bytes are found first, counted from the first one here, at or after `from`; nil when they are not.
  func find(_ wanted: [UInt8], from: Int) -> Int? {
    guard from + wanted.count <= count else { return nil }
    return withUnsafeBytes { all in
      let rest = UnsafeRawBufferPointer(rebasing: all[from...])
      let found = wanted.withUnsafeBytes { wanted in
        // memmem(3) may not be given NULL.
        guard let start = rest.baseAddress, let wantedStart = wanted.baseAddress, !wanted.isEmpty else { return 0 }
        return platform_find_bytes(start, rest.count, wantedStart, wanted.count)
      }
      return found < 0 ? nil : from + found
    }
  }
}
