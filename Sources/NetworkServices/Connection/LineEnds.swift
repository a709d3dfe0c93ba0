/// Where a text needs CR before its LFs, so that each of its lines ends in CRLF as network protocols have it.
package struct LineEnds {
  private var last: UInt8 = 0

  package init() {}

  /// Whether the text's next byte is an LF without its CR.
  package mutating func needsReturn(before byte: UInt8) -> Bool {
    defer { last = byte }
    return byte == UInt8(ascii: "\n") && last != UInt8(ascii: "\r")
  }
}
