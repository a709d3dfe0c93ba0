import Settings
import TOML

/// A value of a configuration file, with its key and its place.
struct Setting {
  let file: String
  /// The key with the tables around it.
  let path: [String]
  /// Where the key stands.
  let position: TextPosition
  let value: TOMLValue

  var name: String { path.last ?? "" }
  var place: Place { Place(file: file, position) }
  var origin: Origin { Origin(place: place, key: keyText(path)) }

  /// A problem with the key.
  func problem(_ message: String) -> ConfigurationProblem {
    ConfigurationProblem(at: place, key: keyText(path), message: message)
  }

  /// A problem with the value, or with a part of it.
  func problem(_ problem: ValueProblem) -> ConfigurationProblem {
    let part = part(at: problem.path)
    return ConfigurationProblem(
      at: Place(file: file, part.position), key: keyText(path + part.names), message: problem.message)
  }

  /// Where the part of the value stands that a problem is about.
  func place(of problem: ValueProblem) -> Place { Place(file: file, part(at: problem.path).position) }

  /// Where an element of the value stands; the value itself if it is no list.
  func origin(ofElement index: Int) -> Origin {
    Origin(place: Place(file: file, part(at: [.element(index)]).position), key: keyText(path))
  }

  /// The settings of a table, in the order of the text.
  ///
  /// - Throws: that the value is no table.
  func members() throws(ConfigurationProblem) -> [Setting] {
    guard case .table(let table) = value.content else {
      throw problem(ValueProblem("expected a table, found \(value.raw.shown)"))
    }
    return table.entries.map {
      Setting(file: file, path: path + [$0.key.name], position: $0.key.position, value: $0.value)
    }
  }

  private func part(at path: [ValueProblem.Step]) -> (position: TextPosition, names: [String]) {
    var value = value
    var position = value.position
    var names: [String] = []
    for step in path {
      switch (step, value.content) {
      case (.element(let index), .array(let elements)) where elements.indices.contains(index):
        value = elements[index]
        position = value.position
      case (.member(let name), .table(let table)):
        names.append(name)
        guard let entry = table.entry(name) else { return (position, names) }
        value = entry.value
        position = entry.key.position
      default: return (position, names)
      }
    }
    return (position, names)
  }
}

extension Place {
  init(file: String, _ position: TextPosition) {
    self.init(file: file, line: position.line, column: position.column)
  }
}

extension TOMLValue {
  /// The value as the syntax of a key reads it.
  var raw: RawValue {
    switch content {
    case .string(let text): .string(text)
    case .integer(let number): .integer(number)
    case .boolean(let value): .boolean(value)
    case .float: .other(kind: "a floating-point number, which no key takes")
    case .date: .other(kind: "a date, which no key takes: text stands in quotes")
    case .array(let elements): .list(elements.map(\.raw))
    case .table(let table): .table(table.entries.map { RawValue.Member($0.key.name, $0.value.raw) })
    }
  }
}
