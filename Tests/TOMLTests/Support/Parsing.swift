import TOML
import Testing

/// The fault of a text as `line:column: message`; an empty text if it has none.
func fault(_ text: String) -> String { fault(Array(text.utf8)) }

func fault(_ bytes: [UInt8]) -> String {
  do throws(TOMLError) {
    _ = try TOMLParser.parse(bytes)
    return ""
  } catch {
    return error.description
  }
}

func parse(_ text: String) throws -> TOMLTable { try TOMLParser.parse(Array(text.utf8)) }

/// The value of `a = TEXT`.
func value(_ text: String, at location: SourceLocation = #_sourceLocation) throws -> TOMLValue.Content {
  try #require(try parse("a = \(text)")["a"], sourceLocation: location).content
}

/// A text and the fault that it has.
struct Slip: CustomTestStringConvertible, Sendable {
  let text: String
  let fault: String

  init(_ text: String, _ fault: String) {
    self.text = text
    self.fault = fault
  }

  var testDescription: String { text.debugDescription }
}

extension TOMLTable {
  /// Names, and lines and columns of keys and values: `a 1:1 1:5`.
  var places: [String] {
    entries.map { entry in
      let (key, value) = (entry.key.position, entry.value.position)
      return "\(entry.key.name) \(key.line):\(key.column) \(value.line):\(value.column)"
    }
  }
}

extension TOMLValue {
  var table: TOMLTable? {
    if case .table(let table) = content { table } else { nil }
  }

  var array: [TOMLValue]? {
    if case .array(let values) = content { values } else { nil }
  }

  var string: String? {
    if case .string(let text) = content { text } else { nil }
  }

  var integer: Int64? {
    if case .integer(let number) = content { number } else { nil }
  }

  subscript(name: String) -> TOMLValue? { table?[name] }
}
