/// JSON as the commands print it: one value on one line.
enum JSON {
  /// Values are JSON already.
  static func object(_ members: [(name: String, value: String)]) -> String {
    "{" + members.map { "\(quoted($0.name)): \($0.value)" }.joined(separator: ", ") + "}"
  }

  /// Values are JSON already.
  static func array(_ values: [String]) -> String { "[" + values.joined(separator: ", ") + "]" }

  /// - Parameter text: without control characters: what comes from elsewhere is escaped first.
  static func quoted(_ text: String) -> String {
    "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] } + "\""
  }
}
