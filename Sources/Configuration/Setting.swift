import Admission
import ControlProtocol

/// A value of a configuration file, with its key and its place, read as the type that its key wants.
struct Setting {
  let document: Document
  let path: [String]
  let value: TOMLTree
  /// Which element of the key's list it is, where it is one.
  var element: Int?

  var name: String { path.last ?? "" }
  var place: Place { Place(file: document.file, line: line) }
  var origin: Origin { Origin(place: place, key: keyText(path)) }
  private var line: Int { element.map { document.line(of: path, element: $0) } ?? document.line(of: path) }

  func problem(_ message: String) -> ConfigurationProblem {
    ConfigurationProblem(file: document.file, line: line, key: keyText(path), message: message)
  }

  /// A problem with the value as a whole: its kind where that is wrong, else the value itself.
  func unexpected(_ wanted: String) -> ConfigurationProblem {
    switch value {
    case .string(let text): unexpected(wanted, found: quoted(text))
    case .integer(let number): unexpected(wanted, found: String(number))
    default: unexpected(wanted, found: value.kind)
    }
  }

  func unexpected(_ wanted: String, found: String) -> ConfigurationProblem {
    problem("expected \(wanted), found \(found)")
  }

  // MARK: - Typed access

  /// The settings of a table, in the order of their lines.
  func members() throws(ConfigurationProblem) -> [Setting] {
    guard case .table(let entries) = value else { throw unexpected("a table", found: value.kind) }
    return entries.map { Setting(document: document, path: path + [$0.name], value: $0.value) }
      .map { ($0, $0.place.line) }.sorted { $0.1 < $1.1 }.map(\.0)
  }

  func boolean() throws(ConfigurationProblem) -> Bool {
    guard case .boolean(let value) = value else { throw unexpected("true or false", found: value.kind) }
    return value
  }

  func integer(in range: ClosedRange<Int>) throws(ConfigurationProblem) -> Int {
    let wanted =
      range.upperBound == .max
      ? "an integer of at least \(range.lowerBound)"
      : "an integer from \(range.lowerBound) to \(range.upperBound)"
    guard case .integer(let number) = value else { throw unexpected(wanted, found: value.kind) }
    guard range.contains(number) else { throw unexpected(wanted) }
    return number
  }

  func string(_ wanted: String = "a string") throws(ConfigurationProblem) -> String {
    guard case .string(let text) = value else { throw unexpected(wanted, found: value.kind) }
    return text
  }

  /// The elements of a list of strings; a single string is a list of one.
  func strings(_ wanted: String) throws(ConfigurationProblem) -> [(text: String, setting: Setting)] {
    if case .string(let text) = value { return [(text, self)] }
    guard case .array(let elements) = value else { throw unexpected("a list of \(wanted)", found: value.kind) }
    var texts: [(text: String, setting: Setting)] = []
    for (index, element) in elements.enumerated() {
      let setting = Setting(document: document, path: path, value: element, element: index)
      guard case .string(let text) = element else {
        throw setting.unexpected("a list of \(wanted)", found: "\(element.kind) in it")
      }
      texts.append((text, setting))
    }
    return texts
  }

  /// One of an enumeration's words.
  func choice<Choice: RawRepresentable & CaseIterable>() throws(ConfigurationProblem) -> Choice
  where Choice.RawValue == String {
    let words = Choice.allCases.map(\.rawValue)
    let wanted = "one of \(words.joined(separator: ", "))"
    let word = try string(wanted)
    if let choice = Choice(rawValue: word) { return choice }
    let near = nearestName(to: word, among: words)
    throw problem("expected \(wanted), found \(quoted(word))" + (near.map { "; did you mean \($0)?" } ?? ""))
  }

  func duration() throws(ConfigurationProblem) -> Duration {
    let wanted = "a duration such as \"30s\" or \"10m\""
    guard let duration = DurationText.parse(try string(wanted)) else { throw unexpected(wanted) }
    return duration
  }

  /// A duration above zero, or `"none"`.
  func timeLimit() throws(ConfigurationProblem) -> Bound<Duration> {
    let wanted = "a duration above 0 such as \"30s\", or \"none\""
    let text = try string(wanted)
    if text == "none" { return .none }
    guard let duration = DurationText.parse(text), duration > .zero else { throw unexpected(wanted) }
    return .at(duration)
  }

  /// A rate, or `"none"`.
  func rate() throws(ConfigurationProblem) -> Bound<RateLimit> {
    let wanted = "a rate such as \"50/s\" or \"100/m burst 10\", or \"none\""
    let text = try string(wanted)
    if text == "none" { return .none }
    guard let rate = RateLimit(text) else { throw unexpected(wanted) }
    return .at(rate)
  }

  /// Permissions as text, their leading zero kept apart from decimal numbers.
  func mode(such example: String) throws(ConfigurationProblem) -> UInt32 {
    let wanted = "permissions in octal digits such as \"\(example)\""
    let text = try string(wanted)
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
      let mode = UInt32(text, radix: 8), mode <= 0o777
    else { throw unexpected(wanted) }
    return mode
  }
}

/// A limit that a table sets, or lifts: `"none"`.
enum Bound<Value> {
  case none
  case at(Value)

  var value: Value? {
    switch self {
    case .none: nil
    case .at(let value): value
    }
  }
}
