import Admission
import UnixIPC

extension Syntax where Value == Duration {
  static let duration = Syntax(
    "TIME", "a duration such as \"30s\" or \"10m\"", example: .string("30s"),
    parse: { raw in raw.text.flatMap(DurationText.parse) },
    render: { .string(DurationText.render($0)) }, hint: secondsHint)
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
    render: { .string($0.map(DurationText.render) ?? "none") }, hint: secondsHint)
}

/// A number without a unit was probably meant in seconds.
private func secondsHint(_ raw: RawValue) -> String? {
  switch raw {
  case .integer(let number) where number > 0: "did you mean \"\(number)s\"?"
  case .integer(0): "did you mean \"none\"?"
  case .string(let text), .word(let text):
    UInt32(decimal: text).flatMap { $0 > 0 ? "did you mean \"\($0)s\"?" : nil }
  default: nil
  }
}

extension Syntax where Value == RateLimit? {
  /// A rate, or `none`.
  static let rate = Syntax(
    "RATE", "a rate such as \"50/s\" or \"100/m burst 10\", or \"none\"", example: .string("50/s"),
    parse: { raw in
      if raw.text == "none" { return .some(nil) }
      return raw.text.flatMap(RateLimit.init).map { .some($0) }
    },
    render: { .string($0.map(\.description) ?? "none") },
    hint: { raw in
      if case .integer(let number) = raw, number > 0 { return "did you mean \"\(number)/s\"?" }
      return nil
    })
}

extension Syntax where Value == UInt64? {
  /// Bytes: a number, or text with a unit.
  static let size = Syntax(
    "SIZE", "a size above 0 such as \"64M\", or a number of bytes", example: .string("64M"),
    parse: { raw in
      switch raw {
      case .integer(let bytes): bytes > 0 ? UInt64(bytes) : nil
      default: raw.text.flatMap(SizeText.parse).flatMap { $0 > 0 ? $0 : nil }
      }
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
    render: { $0.map { .string(DurationText.render(.seconds(Int64($0)))) } }, hint: secondsHint)

}

extension Syntax where Value == UInt32 {
  /// Permissions in octal digits; text, so that a leading zero is not lost.
  static func mode(example: String) -> Syntax {
    Syntax(
      "MODE", "permissions in octal digits such as \"\(example)\"", example: .string(example),
      parse: { raw in
        guard let text = raw.text, (1...4).contains(text.utf8.count),
          text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
          let mode = UInt32(text, radix: 8), mode <= 0o777
        else { return nil }
        return mode
      },
      render: { mode in
        let digits = String(mode, radix: 8)
        return .string(String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
      },
      hint: { raw in
        if case .integer(let number) = raw, (0...777).contains(number) { return "write \"0\(number)\"" }
        return nil
      })
  }
}
