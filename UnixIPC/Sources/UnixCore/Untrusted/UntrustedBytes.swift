/// Bytes that a peer, a file or another program chose: nothing of them is used before it was checked.
///
/// perl's -T refuses at run time to use what came from outside; this type has the compiler refuse it.  Bytes become a
/// number, a path, an argument or a text by a check that says which of these they are to be, or go on as bytes by
/// `withUncheckedBytes`.  What prints it all the same shows its escaped form.
///
/// Source: perlsec(1).
public struct UntrustedBytes: Hashable, Sendable {
  /// A slice, so that words and fields share the line that they were cut from.
  private let bytes: ArraySlice<UInt8>

  public init(_ bytes: [UInt8]) { self.bytes = bytes[...] }
  public init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }
  /// A copy, for memory that is used again.
  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = Array(bytes)[...] }
  /// For a text that somebody else chose.
  public init(text: String) { self.bytes = Array(text.utf8)[...] }

  public var count: Int { bytes.count }
  public var isEmpty: Bool { bytes.isEmpty }
}

/// Looking at bytes without taking them.
extension UntrustedBytes {
  /// Whether they are this word, to the last byte.
  ///
  /// - Parameter ignoringCase: of the letters of ASCII.
  public func isWord(_ word: String, ignoringCase: Bool = false) -> Bool {
    count == word.utf8.count && begins(with: word, ignoringCase: ignoringCase)
  }

  public func hasPrefix(_ prefix: String, ignoringCase: Bool = false) -> Bool {
    count >= prefix.utf8.count && begins(with: prefix, ignoringCase: ignoringCase)
  }

  /// What follows this beginning; nil where they begin otherwise.
  public func dropping(prefix: String, ignoringCase: Bool = false) -> UntrustedBytes? {
    hasPrefix(prefix, ignoringCase: ignoringCase) ? UntrustedBytes(bytes.dropFirst(prefix.utf8.count)) : nil
  }

  private func begins(with word: String, ignoringCase: Bool) -> Bool {
    var position = bytes.startIndex
    for wanted in word.utf8 {
      let byte = bytes[position]
      guard byte == wanted || ignoringCase && byte.lowerCased == wanted.lowerCased else { return false }
      position += 1
    }
    return true
  }
}

/// Cutting bytes into parts, which are as untrusted as the whole.
extension UntrustedBytes {
  /// Without the blanks at both ends.  Blanks are space, tab, and all other bytes below space.
  public var trimmed: UntrustedBytes {
    let rest = bytes.drop(while: \.isBlank)
    guard let last = rest.lastIndex(where: { !$0.isBlank }) else { return UntrustedBytes(rest) }
    return UntrustedBytes(rest[...last])
  }

  /// What stands between blanks; never empty.
  public var words: [UntrustedBytes] { bytes.split(whereSeparator: \.isBlank).map { UntrustedBytes($0) } }

  /// The first of `words`, without a list of them; nil when there is none.
  public var firstWord: UntrustedBytes? {
    let word = bytes.drop(while: \.isBlank).prefix { !$0.isBlank }
    return word.isEmpty ? nil : UntrustedBytes(word)
  }

  /// What stands between separators, empty or not: one more than there are separators.
  ///
  /// - Parameter most: the last field has the rest, separators and all.
  public func fields(separatedBy separators: ASCIISet, atMost most: Int = .max) -> [UntrustedBytes] {
    bytes.split(maxSplits: max(1, most) - 1, omittingEmptySubsequences: false) { separators.contains($0) }
      .map { UntrustedBytes($0) }
  }

  /// As many from the beginning, or all.
  public func prefix(_ most: Int) -> UntrustedBytes { UntrustedBytes(bytes.prefix(max(0, most))) }
}

/// Ways out that check nothing.
extension UntrustedBytes {
  /// The form for a log line or a terminal: one line of printable ASCII, from which the bytes can be read again.
  public var escaped: String { escaped() }

  /// - Parameter doublingBackslashes: false for a text whose parts were escaped already.
  public func escaped(doublingBackslashes: Bool = true) -> String {
    UnixCore.escaped(bytes, doublingBackslashes: doublingBackslashes)
  }

  /// Lends the bytes for a use in which they mean nothing: to send them on, to store them, to count them.
  public func withUncheckedBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // The standard library's form of bytes rethrows any error; that of elements keeps its type.
    try bytes.withUnsafeBufferPointer { (elements) throws(Failure) in try body(UnsafeRawBufferPointer(elements)) }
  }
}

/// What shows a value without asking for a text shows the escaped form: `print`, `dump`, a debugger.
extension UntrustedBytes: CustomDebugStringConvertible, CustomReflectable {
  public var debugDescription: String { "untrusted \"\(escaped)\"" }
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self <= UInt8(ascii: " ") }

  fileprivate var lowerCased: UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
  }
}
