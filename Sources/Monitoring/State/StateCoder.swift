/// Writes the fields of a value one after another, or reads them in the same order: a type lists its fields once.
///
/// Numbers are as wide as they are in memory.  Reading believes nothing: bytes that are missing, or that stand for nothing,
/// make it `isBroken`.
struct StateCoder {
  private(set) var bytes: [UInt8]
  private var position = 0
  private let isReading: Bool
  private(set) var isBroken = false

  /// One that writes.
  init() {
    bytes = []
    isReading = false
  }

  /// One that reads what another one has written.
  init(reading bytes: [UInt8]) {
    self.bytes = bytes
    isReading = true
  }

  mutating func code<Number: FixedWidthInteger & BitwiseCopyable>(_ number: inout Number) {
    guard isReading else { return withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) } }
    guard let start = take(MemoryLayout<Number>.size) else { return }
    number = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: Number.self) }
  }

  mutating func code(_ flag: inout Bool) {
    var number: UInt8 = flag ? 1 : 0
    code(&number)
    flag = number != 0
  }

  mutating func code(_ text: inout String) {
    var count = text.utf8.count
    code(&count)
    guard isReading else { return bytes.append(contentsOf: text.utf8) }
    guard let start = take(count) else { return }
    text = String(decoding: bytes[start..<(start + count)], as: UTF8.self)
  }

  /// A word of an enumeration, by its place among them.
  mutating func code<Word: CaseIterable & Equatable>(_ word: inout Word) where Word.AllCases == [Word] {
    var place = UInt8(truncatingIfNeeded: Word.allCases.firstIndex(of: word) ?? 0)
    code(&place)
    guard Int(place) < Word.allCases.count else { return isBroken = true }
    word = Word.allCases[Int(place)]
  }

  /// A value that may be missing.
  ///
  /// - Parameter blank: the value that is read into.
  mutating func code<Value>(_ value: inout Value?, blank: Value, _ body: (inout Value, inout StateCoder) -> Void) {
    var isThere = value != nil
    code(&isThere)
    guard isThere else { return value = nil }
    var content = value ?? blank
    body(&content, &self)
    value = content
  }

  mutating func code(_ number: inout Int64?) { code(&number, blank: 0) { $1.code(&$0) } }

  mutating func code<Element>(
    _ list: inout [Element], blank: Element, _ body: (inout Element, inout StateCoder) -> Void
  ) {
    var count = list.count
    code(&count)
    guard isReading else {
      for var element in list { body(&element, &self) }
      return
    }
    list = []
    // Each element has a byte at least: no count can ask for more memory than the page has.
    guard !isBroken, (0...(bytes.count - position)).contains(count) else { return isBroken = true }
    list.reserveCapacity(count)
    for _ in 0..<count where !isBroken {
      var element = blank
      body(&element, &self)
      list.append(element)
    }
  }

  /// The place of the next bytes; nil where there are not so many.
  private mutating func take(_ count: Int) -> Int? {
    guard !isBroken, count >= 0, count <= bytes.count - position else {
      isBroken = true
      return nil
    }
    defer { position += count }
    return position
  }
}
