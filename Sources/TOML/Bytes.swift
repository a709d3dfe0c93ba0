/// The bytes with a meaning in TOML, by their Unicode names.
extension UInt8 {
  static var tab: UInt8 { 0x09 }
  static var lineFeed: UInt8 { 0x0a }
  static var carriageReturn: UInt8 { 0x0d }
  static var space: UInt8 { 0x20 }
  static var quote: UInt8 { UInt8(ascii: "\"") }
  static var numberSign: UInt8 { UInt8(ascii: "#") }
  static var apostrophe: UInt8 { UInt8(ascii: "'") }
  static var plus: UInt8 { UInt8(ascii: "+") }
  static var comma: UInt8 { UInt8(ascii: ",") }
  static var hyphen: UInt8 { UInt8(ascii: "-") }
  static var dot: UInt8 { UInt8(ascii: ".") }
  static var zero: UInt8 { UInt8(ascii: "0") }
  static var colon: UInt8 { UInt8(ascii: ":") }
  static var semicolon: UInt8 { UInt8(ascii: ";") }
  static var equalsSign: UInt8 { UInt8(ascii: "=") }
  static var leftBracket: UInt8 { UInt8(ascii: "[") }
  static var backslash: UInt8 { UInt8(ascii: "\\") }
  static var rightBracket: UInt8 { UInt8(ascii: "]") }
  static var underscore: UInt8 { UInt8(ascii: "_") }
  static var leftBrace: UInt8 { UInt8(ascii: "{") }
  static var rightBrace: UInt8 { UInt8(ascii: "}") }

  var isBlank: Bool { self == .space || self == .tab }
  var isLineEnd: Bool { self == .lineFeed || self == .carriageReturn }
  /// Control characters that neither text nor comment may contain; line ends are among them.
  var isControl: Bool { (self < 0x20 && self != .tab) || self == 0x7f }
  /// The second and later bytes of a character in UTF-8.
  var isContinuation: Bool { self & 0xc0 == 0x80 }

  var isDigit: Bool { self &- .zero < 10 }
  var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }
  /// A-Z a-z 0-9 - _, which a key without quotes consists of.
  var isBareKey: Bool { isLetter || isDigit || self == .hyphen || self == .underscore }
  /// Ends a number, a date or a word.
  var endsWord: Bool {
    switch self {
    case .space, .tab, .lineFeed, .carriageReturn, .comma, .rightBracket, .rightBrace, .numberSign: true
    default: false
    }
  }

  /// The value as a digit of numbers up to base 16.
  var digitValue: UInt8? {
    if isDigit { return self - .zero }
    let letter = (self | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter + 10 : nil
  }
}
