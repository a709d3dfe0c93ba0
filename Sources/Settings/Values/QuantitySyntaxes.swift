@_spi(Begat) import UnixCore

extension Syntax where Value == Duration {
  static let duration = Syntax(
    "TIME", "a duration such as \"30s\" or \"10m\"", example: .string("30s"),
    parse: { raw in raw.text.flatMap(DurationText.parse) },
    render: { .string(DurationText.render($0)) }, hint: { secondsHint($0, forZero: "0s") })
}

extension Syntax where Value == Duration {
  static let positiveDuration = Syntax(
    "TIME", "a duration above 0 such as \"5s\"", example: .string("5s"),
    parse: { raw in raw.text.flatMap(DurationText.parse).flatMap { $0 > .zero ? $0 : nil } },
    render: { .string(DurationText.render($0)) }, hint: { secondsHint($0) })
}

extension Syntax where Value == Duration? {
  /// A duration above zero, or `none`.
  static let timeLimit = Syntax(
    "TIME", "a duration above 0 such as \"30s\", or \"none\"", example: .string("1h"),
    parse: { raw in
      if raw.text == "none" { return .some(nil) }
      guard let duration = raw.text.flatMap(DurationText.parse), duration > .zero else { return nil }
      return duration
    },
    render: { .string($0.map(DurationText.render) ?? "none") }, hint: { secondsHint($0, forZero: "none") })
}

/// A number without a unit was probably meant in seconds.
///
/// - Parameter zero: the value that 0 was probably meant as; nil where none is.
func secondsHint(_ raw: RawValue, forZero zero: String? = nil) -> String? {
  guard let number = wholeNumber(raw) else { return nil }
  let text = number == 0 ? zero : "\(number)s"
  return text.flatMap { $0 == "none" || DurationText.parse($0) != nil ? "did you mean \"\($0)\"?" : nil }
}

/// A number without a unit, with quotes or not.
func wholeNumber(_ raw: RawValue) -> UInt64? {
  switch raw {
  case .integer(let number): UInt64(exactly: number)
  default: raw.text.flatMap { UInt64(decimal: $0) }
  }
}

extension Syntax where Value == UInt64? {
  /// Bytes: a number, or text with a unit.
  static let size = Syntax(
    "SIZE", "a size above 0 such as \"64M\", or a number of bytes", example: .string("64M"),
    parse: { raw in
      // Not an expression: its nil would be the value nil, an unset limit.
      let bytes: UInt64?
      if case .integer(let number) = raw {
        bytes = UInt64(exactly: number)
      } else {
        bytes = raw.text.flatMap(SizeText.parse)
      }
      guard let bytes, bytes > 0 else { return nil }
      return bytes
    },
    render: { $0.map { .string(SizeText.render($0)) } })

  /// A duration of whole seconds.
  static let wholeSeconds = Syntax(
    "TIME", "a duration of whole seconds such as \"10s\" or \"5m\"", example: .string("10s"),
    parse: { raw in
      guard let duration = raw.text.flatMap(DurationText.parse), duration >= .seconds(1),
        duration.components.attoseconds == 0
      else { return nil }
      return UInt64(duration.components.seconds)
    },
    render: { $0.map { .string(DurationText.render(.seconds(Int64($0)))) } }, hint: { secondsHint($0) })
}

extension Syntax where Value == UInt32 {
  /// Permissions in octal digits; text, so that a leading zero is not lost.
  static func mode(example: String) -> Syntax {
    Syntax(
      "MODE", "permissions in octal digits such as \"\(example)\"", example: .string(example),
      parse: { raw in raw.text.flatMap(octal) },
      render: { mode in
        let digits = String(mode, radix: 8)
        return .string(String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
      },
      hint: { raw in
        if case .integer(let number) = raw, octal("0\(number)") != nil { return "write \"0\(number)\"" }
        return nil
      })
  }

  private static func octal(_ text: String) -> UInt32? {
    guard (1...4).contains(text.utf8.count),
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
      let mode = UInt32(text, radix: 8), mode <= 0o777
    else { return nil }
    return mode
  }
}
