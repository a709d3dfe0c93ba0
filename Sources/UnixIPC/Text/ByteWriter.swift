import Glibc

/// Text put together in memory that the caller provides: no allocation, for processes that were just forked.
///
/// What does not fit is left out; `isTruncated` tells.
public struct ByteWriter {
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

  public mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// A number in decimal, with leading zeros up to `width` digits.
  public mutating func append(decimal number: some BinaryInteger, width: Int = 1) {
    var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
    withUnsafeMutableBytes(of: &digits) { digits in
      var rest = UInt64(number.magnitude)
      var length = 0
      repeat {
        digits[digits.count - 1 - length] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
        length += 1
      } while (rest > 0 || length < width) && length < digits.count
      if number < 0 { append(UInt8(ascii: "-")) }
      append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[(digits.count - length)...]))
    }
  }
}
