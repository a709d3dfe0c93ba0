/// The language of begatd's control sockets: one JSON object a line for each request and each answer.
///
/// Source: begat-control(7).
public enum ControlLanguage {
  public static let version: Int64 = 1
  /// The longest line of a request, in bytes, without its end.
  public static let maxRequestLength = 8192
  /// The longest line of an answer, in bytes, with its end.
  public static let maxAnswerLength = 4 << 20
}
