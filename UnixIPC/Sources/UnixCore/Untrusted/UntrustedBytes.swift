/// Bytes that a peer, a file or another program chose, which must be checked before they are used.
///
/// perl's -T refuses at run time to use data from outside; with this type the compiler refuses it.  Bytes become a number, a
/// path, an argument or a text by a check that says which of these they are to be, or go on as bytes by
/// ``withUncheckedBytes(_:)``.  `print` and the like show the escaped form.
///
/// Source: perlsec(1).
public struct UntrustedBytes: Hashable, Sendable {
  /// A slice, so that words and fields share the line that they were cut from.
  private let bytes: ArraySlice<UInt8>

  /// Bytes of an array.
  public init(_ bytes: [UInt8]) { self.bytes = bytes[...] }
  /// Bytes of a part of an array.
  public init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }
  /// A copy of bytes in memory that is used again.
  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = Array(bytes)[...] }
  /// The UTF-8 of a text that another program or a user chose.
  public init(text: String) { self.bytes = Array(text.utf8)[...] }

  /// The number of bytes.
  public var count: Int { bytes.count }
  /// Whether there are no bytes.
  public var isEmpty: Bool { bytes.isEmpty }
}

/// Looking at bytes without taking them.
extension UntrustedBytes {
  /// Whether the bytes are exactly this word.
  ///
  /// - Parameter ignoringCase: whether the case of ASCII's letters is ignored.
  public func isWord(_ word: String, ignoringCase: Bool = false) -> Bool {
    count == word.utf8.count && begins(with: word, ignoringCase: ignoringCase)
  }

  /// Whether the bytes begin with this text.
  ///
  /// - Parameter ignoringCase: whether the case of ASCII's letters is ignored.
  public func hasPrefix(_ prefix: String, ignoringCase: Bool = false) -> Bool {
    count >= prefix.utf8.count && begins(with: prefix, ignoringCase: ignoringCase)
  }

  /// The bytes after this beginning; nil if they do not begin with it.
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
  /// The bytes without the blanks at both ends.  Blanks are space, tab, and all other bytes below space.
  public var trimmed: UntrustedBytes {
    let rest = bytes.drop(while: \.isBlank)
    guard let last = rest.lastIndex(where: { !$0.isBlank }) else { return UntrustedBytes(rest) }
    return UntrustedBytes(rest[...last])
  }

  /// The words between blanks, none of them empty.
  public var words: [UntrustedBytes] { bytes.split(whereSeparator: \.isBlank).map { UntrustedBytes($0) } }

  /// The first of `words`, without a list of them; nil when there is none.
  public var firstWord: UntrustedBytes? {
    let word = bytes.drop(while: \.isBlank).prefix { !$0.isBlank }
    return word.isEmpty ? nil : UntrustedBytes(word)
  }

  /// The fields between separators, some of them perhaps empty: one more than there are separators.
  ///
  /// - Parameter separators: each of these bytes ends a field.
  /// - Parameter maximum: how many fields there may be; the last one contains the rest with its separators.
  public func fields(separatedBy separators: ASCIISet, atMost maximum: Int = .max) -> [UntrustedBytes] {
    bytes.split(maxSplits: max(1, maximum) - 1, omittingEmptySubsequences: false) { separators.contains($0) }
      .map { UntrustedBytes($0) }
  }

  /// As many bytes from the beginning, or all of them.
  public func prefix(_ maximum: Int) -> UntrustedBytes { UntrustedBytes(bytes.prefix(max(0, maximum))) }
}

/// Ways out that check nothing.
extension UntrustedBytes {
  /// The form for a log line or a terminal: one line of printable ASCII, from which the bytes can be read again.
  public var escaped: String { escaped() }

  /// The form for a log line or a terminal.
  ///
  /// - Parameter doublingBackslashes: false for a text whose parts were escaped already.
  public func escaped(doublingBackslashes: Bool = true) -> String {
    String(escaping: bytes, doublingBackslashes: doublingBackslashes)
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
  /// The escaped form, marked as untrusted.
  public var debugDescription: String { "untrusted \"\(escaped)\"" }
  /// A mirror without children: `dump` shows only the escaped form.
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self <= UInt8(ascii: " ") }

  fileprivate var lowerCased: UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
  }
}
