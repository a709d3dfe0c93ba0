import ProxyProtocol
@_spi(Begat) import UnixCore

extension Syntax where Value == Bool {
  static let boolean = Syntax(
    "true|false", "true or false", example: .boolean(true),
    parse: { raw in
      switch raw {
      case .boolean(let value): value
      case .word("true"): true
      case .word("false"): false
      default: nil
      }
    },
    render: { .boolean($0) },
    hint: { raw in
      switch raw.text?.lowercased() {
      case "true", "yes", "on", "1": "write true" + (raw.text == "true" ? " without quotes" : "")
      case "false", "no", "off", "0": "write false" + (raw.text == "false" ? " without quotes" : "")
      default: nil
      }
    })
}

extension Syntax where Value: FixedWidthInteger & Sendable {
  static func integer(in range: ClosedRange<Value>, example: Int64 = 1) -> Syntax {
    let expectation =
      UInt64(clamping: range.upperBound) >= UInt64(Int64.max)
      ? "an integer of at least \(range.lowerBound)"
      : "an integer from \(range.lowerBound) to \(range.upperBound)"
    return Syntax(
      "N", expectation, example: .integer(example),
      parse: { raw in
        guard let value = integer(raw), range.contains(value) else { return nil }
        return value
      },
      render: { .integer(Int64($0)) },
      hint: { raw in
        guard case .string(let text) = raw, let value = integer(.word(text)), range.contains(value) else { return nil }
        return "write \(value) without quotes"
      })
  }

  private static func integer(_ raw: RawValue) -> Value? {
    switch raw {
    case .integer(let number): Value(exactly: number)
    case .word(let text) where text.hasPrefix("-"):
      Int64(decimal: text.dropFirst()).flatMap { Value(exactly: -$0) }
    case .word(let text): Value(decimal: text)
    default: nil
    }
  }
}

extension Syntax where Value == String {
  /// - Parameter numbers: those that are such a value in quotes, if a later reader takes fewer than the syntax.
  /// - Parameter isValid: whether a text is such a value.
  static func text(
    _ placeholder: String, _ expectation: String, example: String, numbers: Range<Int64>? = nil,
    where isValid: @escaping @Sendable (String) -> Bool
  ) -> Syntax {
    let takesQuoted: @Sendable (Int64) -> Bool = { isValid(String($0)) && (numbers?.contains($0) ?? true) }
    return Syntax(
      placeholder, expectation, example: .string(example),
      parse: { raw in raw.text.flatMap { isValid($0) && !$0.utf8.contains(0) ? $0 : nil } },
      render: { .string($0) },
      hint: { raw in
        if case .integer(let number) = raw, takesQuoted(number) { return "write \"\(number)\"" }
        return nil
      }, takesQuoted: takesQuoted)
  }

  static func absolutePath(of thing: String, example: String) -> Syntax {
    text("PATH", "the absolute path of \(thing) such as \"\(example)\"", example: example) { $0.hasPrefix("/") }
  }

  /// One line that is shown to clients.
  static let line = text(
    "TEXT", "one line of 1 to 500 bytes without control characters", example: "too many, come back later"
  ) { text in
    (1...500).contains(text.utf8.count) && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }

  /// The name of a host, without a port.
  static let hostName = text(
    "NAME", "the name of a host, without a port, such as \"status.example.org\"", example: "status.example.org"
  ) { text in
    (1...253).contains(text.utf8.count) && text.utf8.allSatisfy { isServiceNameByte($0) || $0 == UInt8(ascii: ".") }
      && !text.hasPrefix(".") && !text.hasSuffix(".")
  }

  /// The name of a network interface.
  ///
  /// Source: dev_valid_name() of Linux.
  static let interface = text(
    "INTERFACE",
    "an interface's name of 1 to \(BindOptions.maxDeviceNameLength) bytes without / and white space, such as \"eth0\"",
    example: "eth0"
  ) { text in
    (1...BindOptions.maxDeviceNameLength).contains(text.utf8.count) && !text.contains("/") && text != "."
      && text != ".."
      && !text.contains(where: \.isWhitespace)
  }

  /// A user or group, by name or number: each reader looks it up in its own way.
  static func account(_ kind: String, example: String) -> Syntax {
    text(
      kind.uppercased(), "the name or the number of a \(kind) such as \"\(example)\"", example: example,
      numbers: 0..<Int64(UInt32.max)
    ) { !$0.isEmpty && !$0.contains(":") && !$0.contains(where: \.isNewline) }
  }

  /// A user, optionally with a group.
  static func user(example: String) -> Syntax {
    text(
      "USER[:GROUP]", "the name or the number of a user such as \"\(example)\", optionally followed by :GROUP",
      example: example, numbers: 0..<Int64(UInt32.max)
    ) { AccountName($0) != nil && !$0.contains(where: \.isNewline) }
  }

  /// What a service is called in titles and logs.
  static let serviceName = text(
    "NAME", "1 to 64 letters, digits, - and _, a letter first", example: "web", where: isServiceName)
}

/// Whether a service can be called so: nothing that needs escaping anywhere.
public func isServiceName(_ text: String) -> Bool {
  (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isServiceNameByte) && text.first?.isLetter ?? false
}

extension Syntax where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
  /// One of an enumeration's words.
  static var choice: Syntax {
    let words = Value.allCases.map(\.rawValue)
    return Syntax(
      words.count <= 4 ? words.joined(separator: "|") : "WORD", "one of \(words.joined(separator: ", "))",
      example: .string(words[0]),
      parse: { raw in raw.text.flatMap(Value.init(rawValue:)) },
      render: { .string($0.rawValue) },
      hint: { raw in
        raw.text.flatMap { nearestName(to: $0, among: words) }.map { "did you mean \($0)?" }
      })
  }
}

extension Syntax where Value == ProxyVersion {
  /// The versions of the PROXY protocol that a service accepts.
  static let proxyVersion = Syntax(
    "any|1|2", "\"any\", 1 or 2", example: .string("any"),
    parse: { raw in
      switch raw {
      case .word("any"), .string("any"): .any
      case .word("1"), .integer(1): .one
      case .word("2"), .integer(2): .two
      default: nil
      }
    },
    render: { version in
      switch version {
      case .any: .string("any")
      case .one: .integer(1)
      case .two: .integer(2)
      }
    },
    hint: { raw in
      switch raw {
      case .string("1"), .string("2"): "write \(raw.text ?? "") without quotes"
      default: nil
      }
    })
}
