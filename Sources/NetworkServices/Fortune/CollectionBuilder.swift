@_spi(Begat) import UnixCore

/// Puts a collection together: texts first, then their entries, all in memory outside the heap.
struct CollectionBuilder: ~Copyable {
  let texts: MemoryMapping
  private(set) var textEnd = 0
  private let index: MemoryMapping
  private let longest: Int?
  private(set) var count = 0

  /// - Parameter textSize: of all texts together, in bytes.
  /// - Parameter textCount: how many they are.
  init(textSize: Int, textCount: Int, longest: Int?) throws(SystemCallError) {
    let texts = try MemoryMapping.shared(size: max(1, textSize))
    // The shortest entry and its delimiter line are four bytes: `a`, newline, `%`, newline; the last of each text may
    // be a single byte.  Pages that no entry reaches are never touched.
    let room = (textSize / 4 + textCount) * MemoryLayout<FortuneCollection.Entry>.stride
    let index = try MemoryMapping.shared(size: room)
    _ = index.unsafeBytes.bindMemory(to: FortuneCollection.Entry.self)
    self.texts = texts
    self.index = index
    self.longest = longest
  }

  /// Adds the entries of the next text, which stands at `textEnd` already.
  mutating func add(textSize: Int, delimiter: UInt8, isRotated: Bool) {
    let text = UnsafeRawBufferPointer(rebasing: texts.unsafeBytes[textEnd..<(textEnd + textSize)])
    let entries = index.unsafeBytes.assumingMemoryBound(to: FortuneCollection.Entry.self)
    let base = textEnd
    var count = count
    FortuneIndexer(delimiter: delimiter).forEach(in: text) { span in
      guard span.sentLength <= longest ?? Int(UInt32.max), count < entries.count else { return }
      entries[count] = FortuneCollection.Entry(
        start: UInt64(base + span.start), length: UInt32(span.length), sentLength: UInt32(span.sentLength),
        isRotated: isRotated)
      count += 1
    }
    self.count = count
    textEnd += textSize
  }

  /// Nil when no entry was found.
  consuming func finish() throws(SystemCallError) -> FortuneCollection? {
    guard count > 0 else { return nil }
    let count = count
    return try FortuneCollection(texts: texts, index: index, count: count)
  }
}
