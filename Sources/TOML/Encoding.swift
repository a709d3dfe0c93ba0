/// Refuses what is not UTF-8, at the first byte that does not belong there.
///
/// Source: toml.io/en/v1.0.0, "Spec"; RFC 3629 section 4.
func checkEncoding(_ bytes: [UInt8]) throws(TOMLError) {
  if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
    throw TOMLError(position: TextPosition(line: 1, column: 1), message: "this is UTF-16; save the file as UTF-8")
  }
  guard let offset = firstFault(of: bytes) else { return }
  var cursor = Cursor(bytes)
  cursor.advance(by: offset - cursor.offset)
  throw cursor.fault(
    "the byte 0x\(String(bytes[offset], radix: 16)) does not belong to UTF-8 here; save the file as UTF-8")
}

/// The offset of the first byte of the first sequence that is not UTF-8.
private func firstFault(of bytes: [UInt8]) -> Int? {
  var offset = 0
  while offset < bytes.count {
    if bytes[offset] < 0x80 {
      offset += 1
      continue
    }
    guard let (length, second) = sequence(bytes[offset]), offset + length <= bytes.count,
      second.contains(bytes[offset + 1]), bytes[(offset + 2)..<(offset + length)].allSatisfy(\.isContinuation)
    else { return offset }
    offset += length
  }
  return nil
}

/// The length of a sequence by its first byte, and the second bytes that are neither overlong nor surrogates nor
/// beyond U+10FFFF.
private func sequence(_ first: UInt8) -> (length: Int, second: ClosedRange<UInt8>)? {
  switch first {
  case 0xc2...0xdf: (2, 0x80...0xbf)
  case 0xe0: (3, 0xa0...0xbf)
  case 0xed: (3, 0x80...0x9f)
  case 0xe1...0xef: (3, 0x80...0xbf)
  case 0xf0: (4, 0x90...0xbf)
  case 0xf1...0xf3: (4, 0x80...0xbf)
  case 0xf4: (4, 0x80...0x8f)
  default: nil
  }
}
