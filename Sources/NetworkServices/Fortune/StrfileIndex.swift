/// What a `.dat` file says about its text: a hint, believed only as far as the text bears it out.
///
/// Source: strfile(8); integers are big endian, of 4 bytes, or of 8 in files of some old 64-bit builds.
struct StrfileIndex {
  /// Letters are to be rotated by 13: text that should not be read by accident.
  let isRotated: Bool
  let delimiter: UInt8
  /// Where entries begin, in ascending order, those at or past the text's end left out (`strfile -r` shuffles the
  /// end's offset into the table).
  let starts: [UInt64]

  /// Nil when the bytes are no such file.
  init?(_ bytes: UnsafeRawBufferPointer, textSize: Int) {
    guard bytes.count >= 8 else { return nil }
    let wordSize = StrfileIndex.word(bytes, 0, size: 4) == 0 ? 8 : 4

    let headerSize = 5 * wordSize + wordSize
    guard bytes.count >= headerSize else { return nil }
    func header(_ field: Int) -> UInt64 { StrfileIndex.word(bytes, field * wordSize, size: wordSize) }
    let version = header(0)
    let count = header(1)
    let flags = header(4)
    guard (1...2).contains(version), flags <= 7 else { return nil }
    let room = UInt64(bytes.count - headerSize) / UInt64(wordSize)
    guard count > 0, count < room else { return nil }

    isRotated = flags & 4 != 0
    delimiter = bytes[5 * wordSize]
    var offsets: [UInt64] = []
    offsets.reserveCapacity(Int(count) + 1)
    for index in 0...Int(count) {
      let offset = StrfileIndex.word(bytes, headerSize + index * wordSize, size: wordSize)
      if offset < UInt64(textSize) { offsets.append(offset) }
    }
    offsets.sort()
    starts = offsets
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int, size: Int) -> UInt64 {
    bytes[offset..<(offset + size)].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
