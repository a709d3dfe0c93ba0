/// A key, or one part of a dotted key, with the position of its first character (a quoted key's opening quote).
public struct TOMLKey: Hashable, Sendable {
  public let name: String
  public let position: TextPosition
}

/// A value with the position of its first character.
///
/// A table that a header makes has the position of the header's last key, an array of tables that of its first header;
/// a table that only a longer key implies has the position of the first key that made it.
public struct TOMLValue: Sendable {
  public let position: TextPosition
  public let content: Content

  /// The types of values.
  ///
  /// Source: toml.io/en/v1.0.0, "Key/Value Pair".
  public enum Content: Sendable {
    case string(String)
    case integer(Int64)
    case float(Double)
    case boolean(Bool)
    case date(TOMLDate)
    case array([TOMLValue])
    case table(TOMLTable)
  }
}

/// A date, a time or both, checked and kept as it was written.
///
/// Source: toml.io/en/v1.0.0, "Offset Date-Time" to "Local Time"; RFC 3339.
public struct TOMLDate: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case offsetDateTime, localDateTime, localDate, localTime
  }

  public let kind: Kind
  /// The text of the file: `1979-05-27T07:32:00Z`, where `t`, `z` or a space between date and time may occur as well.
  public let text: String
}
