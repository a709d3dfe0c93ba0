import Glibc

/// Text put together in memory that the caller provides: no allocation, for processes that were just forked.
///
/// What does not fit is left out; `isTruncated` tells.
@_spi(Begat) public struct ByteWriter {
  private let room: UnsafeMutableRawBufferPointer
  public private(set) var count = 0
  public private(set) var isTruncated = false

  public init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }

  /// What was written so far.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[..<count]) }

  public mutating func append(_ byte: UInt8) {
    guard count < room.count else {
      isTruncated = true
      return
    }
    room[count] = byte
    count += 1
  }

  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    let length = min(bytes.count, room.count - count)
    if length < bytes.count { isTruncated = true }
    guard length > 0 else { return }
    UnsafeMutableRawBufferPointer(rebasing: room[count..<(count + length)])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
    count += length
  }

  public mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  // Literals are static strings, which need nothing of the run-time library.
  @_disfavoredOverload
  public mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// A number in decimal, with leading zeros up to `width` digits.
  public mutating func append(decimal number: UInt64, width: Int = 1) {
    var length = 1
    var limit: UInt64 = 10
    while length < 20, length < width || number >= limit {
      length += 1
      limit = limit &* 10
    }
    // From the last digit on, so that each costs one division, by a constant.
    var rest = number
    var place = count + length
    while place > count {
      place -= 1
      if place < room.count { room[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10) }
      rest /= 10
    }
    if length > room.count - count { isTruncated = true }
    count = min(count + length, room.count)
  }

  @inline(__always)
  public mutating func append(decimal number: some UnsignedInteger & FixedWidthInteger) {
    append(decimal: UInt64(truncatingIfNeeded: number))
  }
}
