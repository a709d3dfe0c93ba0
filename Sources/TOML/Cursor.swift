/// A place in a text that moves forwards and knows its line and column.
struct Cursor {
  let bytes: [UInt8]
  private(set) var offset: Int
  private var line = 1
  private var column = 1

  /// Starts after the byte order mark, if there is one.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    offset = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
  }

  var position: TextPosition { TextPosition(line: line, column: column) }
  var isAtEnd: Bool { offset == bytes.count }

  /// The byte at the cursor, nil at the end.
  var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  func byte(after distance: Int) -> UInt8? {
    offset + distance < bytes.count ? bytes[offset + distance] : nil
  }

  func isAt(_ byte: UInt8, times count: Int) -> Bool {
    offset + count <= bytes.count && bytes[offset..<offset + count].allSatisfy { $0 == byte }
  }

  /// At a line feed, or at a carriage return that a line feed follows.
  var isAtLineEnd: Bool {
    next == .lineFeed || (next == .carriageReturn && byte(after: 1) == .lineFeed)
  }

  /// Moves over one byte.
  mutating func advance() {
    if bytes[offset] == .lineFeed {
      line += 1
      column = 1
    } else if !bytes[offset].isContinuation {
      column += 1
    }
    offset += 1
  }

  mutating func advance(by count: Int) {
    for _ in 0..<count { advance() }
  }

  /// Moves over the byte if it is at the cursor.
  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    advance()
    return true
  }

  mutating func skip(while belongs: (UInt8) -> Bool) {
    while let byte = next, belongs(byte) { advance() }
  }

  /// Moves over spaces and tabs.
  mutating func skipBlanks() { skip { $0.isBlank } }

  /// Moves over the end of a line.
  mutating func skipLineEnd() {
    _ = take(.carriageReturn)
    advance()
  }

  /// Text from an earlier place to the cursor.
  func bytes(from start: Int) -> ArraySlice<UInt8> { bytes[start..<offset] }

  /// Text from the cursor up to the first byte for which `ends` holds, not beyond the line.
  func restOfLine(upTo ends: (UInt8) -> Bool = { _ in false }) -> ArraySlice<UInt8> {
    bytes[offset...].prefix { !$0.isLineEnd && !ends($0) }
  }

  /// An error at the cursor.
  func fault(_ message: String) -> TOMLError { TOMLError(position: position, message: message) }
}
