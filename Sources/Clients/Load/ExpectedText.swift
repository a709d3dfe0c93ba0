/// A text that is to occur in what a connection receives, wherever the parts of that begin and end.
///
/// Source: Knuth, Morris and Pratt, Fast Pattern Matching in Strings (1977).
struct ExpectedText {
  private let bytes: [UInt8]
  /// For each length that matches, the next shorter one that matches the same bytes.
  private let shorter: [Int]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var shorter = [Int](repeating: 0, count: bytes.count + 1)
    var length = 0
    for index in bytes.indices.dropFirst() {
      while length > 0, bytes[index] != bytes[length] { length = shorter[length] }
      if bytes[index] == bytes[length] { length += 1 }
      shorter[index + 1] = length
    }
    self.shorter = shorter
  }

  /// Whether a search that came so far has found the text.
  func isFound(_ matched: Int) -> Bool { matched == bytes.count }

  /// Goes on with a search.
  ///
  /// - Parameter matched: the result for the part before; 0 for the first.
  func search(_ part: UnsafeRawBufferPointer, after matched: Int) -> Int {
    var length = matched
    for byte in part {
      if length == bytes.count { break }
      while length > 0, bytes[length] != byte { length = shorter[length] }
      if bytes[length] == byte { length += 1 }
    }
    return length
  }
}
