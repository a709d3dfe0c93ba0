/// Text that is put together as bytes.
extension [UInt8] {
  package mutating func append(_ text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  package mutating func append(decimal number: some BinaryInteger) {
    if number < 0 { append(UInt8(ascii: "-")) }
    append(digitsOf: UInt64(clamping: number.magnitude))
  }

  /// Not by way of a string: pages and metrics have hundreds of numbers.
  private mutating func append(digitsOf number: UInt64) {
    let start = count
    var rest = number
    repeat {
      append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }

  /// A number of seconds to the nanosecond, without zeros at its end.
  mutating func append(seconds duration: Duration) {
    let (seconds, attoseconds) = (duration < .zero ? .zero : duration).components
    append(decimal: seconds)
    var rest = attoseconds / 1_000_000_000
    guard rest > 0 else { return }
    append(UInt8(ascii: "."))
    var unit: Int64 = 100_000_000
    while rest > 0 {
      append(UInt8(ascii: "0") + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    }
  }

  /// A text that another program chose, with some characters replaced and every control character by U+FFFD.
  ///
  /// Characters that change the direction of writing count as control characters: they would move what stands beside
  /// them.
  ///
  /// - Parameter replacement: stands for the character; nil where it stays as it is.
  mutating func append(_ text: String, escaping replacement: (Unicode.Scalar) -> StaticString?) {
    for scalar in text.unicodeScalars {
      if let replacement = replacement(scalar) {
        append(replacement)
      } else if scalar.isControl {
        append("\u{FFFD}")
      } else if scalar.isASCII {
        append(UInt8(scalar.value))
      } else {
        append(contentsOf: UTF8.encode(scalar)!)
      }
    }
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    switch value {
    case 0..<0x20, 0x7f...0x9f, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }
}
