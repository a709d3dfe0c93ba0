import Admission

/// The setting of a rate: left out, unlimited, or a limit.
public enum RateSetting: Hashable, Sendable {
  /// The key is left out: what holds then depends on what is limited.
  case standard
  case unlimited
  case at(RateLimit)

  /// The limit that holds; nil for none.
  ///
  /// - Parameter standard: what holds if the key is left out.
  func limit(standard: RateLimit?) -> RateLimit? {
    switch self {
    case .standard: standard
    case .unlimited: nil
    case .at(let limit): limit
    }
  }
}

extension Syntax where Value == RateSetting {
  /// A rate, or `none`.
  static let rate = Syntax(
    "RATE", "a rate such as \"50/s\" or \"100/m burst 10\", or \"none\"", example: .string("50/s"),
    parse: { raw in
      if raw.text == "none" { return .unlimited }
      return raw.text.flatMap(RateLimit.init).map { .at($0) }
    },
    render: { setting in
      switch setting {
      case .standard: nil
      case .unlimited: .string("none")
      case .at(let limit): .string(limit.description)
      }
    },
    hint: { raw in
      wholeNumber(raw).flatMap { RateLimit("\($0)/s") == nil ? nil : "did you mean \"\($0)/s\"?" }
    })
}
