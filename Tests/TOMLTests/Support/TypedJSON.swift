import Foundation
import TOML

/// Whether a value is what toml-test says in its JSON, where a leaf is an object with `type` and `value`.
func matches(_ content: TOMLValue.Content, _ json: Any) -> Bool {
  switch (content, json) {
  case (.table(let table), let object as [String: Any]):
    table.entries.count == object.count
      && table.entries.allSatisfy { entry in object[entry.key.name].map { matches(entry.value.content, $0) } ?? false }
  case (.array(let values), let array as [Any]):
    values.count == array.count && zip(values, array).allSatisfy { matches($0.content, $1) }
  case (_, let leaf as [String: String]):
    matches(content, type: leaf["type"], text: leaf["value"] ?? "")
  default: false
  }
}

private func matches(_ content: TOMLValue.Content, type: String?, text: String) -> Bool {
  switch (content, type) {
  case (.string(let string), "string"): Array(string.utf8) == Array(text.utf8)
  case (.integer(let number), "integer"): number == Int64(text)
  case (.float(let number), "float"): number.isNaN ? text == "nan" : number == Double(text)
  case (.boolean(let truth), "bool"): String(truth) == text
  case (.date(let date), _): date.kind.typeName == type && plain(date.text) == plain(text)
  default: false
  }
}

extension TOMLDate.Kind {
  fileprivate var typeName: String {
    switch self {
    case .offsetDateTime: "datetime"
    case .localDateTime: "datetime-local"
    case .localDate: "date-local"
    case .localTime: "time-local"
    }
  }
}

/// A date as one of its equal spellings: capitals, and no zeros at the end of a fraction.
private func plain(_ date: String) -> String {
  date.uppercased().replacing(" ", with: "T")
    .replacing(/\.(\d*?)0*(?=[-+Z]|$)/) { $0.output.1.isEmpty ? "" : ".\($0.output.1)" }
}
