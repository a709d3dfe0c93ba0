@_spi(Begat) import UnixCore

/// Bytes as text for a regex, with the way back from a place in the text to the byte.
///
/// A byte that is not part of valid UTF-8 becomes one U+FFFD.
struct DecodedText {
  let text: String
  /// Where in the text, in UTF-8 bytes, the replacements are, each of which stands for one byte.
  private let replacements: [Int]

  /// How many bytes a replacement has in the text.
  private static let replacement = Array("\u{FFFD}".utf8)

  /// - Parameter isComplete: whether no more bytes will come; else a character that has only begun is left out.
  init(_ bytes: ArraySlice<UInt8>, isComplete: Bool) {
    // Nearly always it is valid, but for a character begun at the end.
    for missing in 0...(isComplete ? 0 : 3) where missing <= bytes.count {
      let tail = bytes.suffix(missing)
      guard missing == 0 || tail[tail.startIndex].utf8Length > missing && DecodedText.mayBecomeValid(tail),
        let text = String(validating: bytes.dropLast(missing), as: UTF8.self)
      else { continue }
      self.text = text
      replacements = []
      return
    }
    (text, replacements) = DecodedText.replacing(bytes, isComplete: isComplete)
  }

  private static func replacing(_ bytes: ArraySlice<UInt8>, isComplete: Bool) -> (text: String, replacements: [Int]) {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var replacements: [Int] = []
    var rest = bytes
    while let first = rest.first {
      let length = first.utf8Length
      let character = rest.prefix(length)
      if length > 0, DecodedText.isValid(character, length: length) {
        text += character
        rest = rest.dropFirst(length)
      } else if length > character.count, !isComplete, DecodedText.mayBecomeValid(character) {
        break
      } else {
        replacements.append(text.count)
        text += DecodedText.replacement
        rest = rest.dropFirst()
      }
    }
    return (String(decoding: text, as: UTF8.self), replacements)
  }

  /// How many bytes stand for the text before the place.
  func byteOffset(of index: String.Index) -> Int {
    let place = text.utf8.distance(from: text.startIndex, to: index)
    var low = 0
    var high = replacements.count
    while low < high {
      let middle = (low + high) / 2
      if replacements[middle] < place { low = middle + 1 } else { high = middle }
    }
    return place - low * (DecodedText.replacement.count - 1)
  }

  private static func isValid(_ character: ArraySlice<UInt8>, length: Int) -> Bool {
    character.count == length && mayBecomeValid(character)
  }

  /// RFC 3629 §4: the second byte is narrower after some first ones, against overlong forms and surrogates.
  private static func mayBecomeValid(_ character: ArraySlice<UInt8>) -> Bool {
    guard let first = character.first else { return true }
    for (position, byte) in character.dropFirst().enumerated() {
      let range: ClosedRange<UInt8> =
        switch (position, first) {
        case (0, 0xe0): 0xa0...0xbf
        case (0, 0xed): 0x80...0x9f
        case (0, 0xf0): 0x90...0xbf
        case (0, 0xf4): 0x80...0x8f
        default: 0x80...0xbf
        }
      if !range.contains(byte) { return false }
    }
    return true
  }
}
