@_spi(Begat) import UnixCore

/// A command line of begat-listener as it was read.
public struct ParsedListenerOptions: Hashable, Sendable {
  public internal(set) var options = ListenerOptions()
  /// Names of the keys that the command line sets.
  public internal(set) var said: Set<String> = []
}

/// A problem with a command line: one line, with what to do.
public struct ListenerOptionProblem: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

extension ListenerOptions {
  /// Reads `--key value`, `--key=value` and `--table.member value`; the words behind `--` are the program to execute.
  ///
  /// A list has one option for each element.  `--key` alone is `--key true`.
  ///
  /// - Parameter words: without the program's own name.
  public static func parse(_ words: [String]) throws(ListenerOptionProblem) -> ParsedListenerOptions {
    var given = GivenOptions()
    var parsed = ParsedListenerOptions()
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        try parsed.setProgram(Array(rest))
        break
      }
      guard word.hasPrefix("--") else {
        throw ListenerOptionProblem("\(quoted(word)): not an option; a program stands behind --; see --help")
      }
      try given.take(word.dropFirst(2), &rest)
    }
    for (key, raw) in given.values {
      do throws(ValueProblems) { try key.read(raw, into: &parsed.options) } catch {
        let problem = error.problems[0]
        let members = problem.path.compactMap { step in if case .member(let name) = step { name } else { nil } }
        throw ListenerOptionProblem(
          "--\(([key.name] + members.map(printable)).joined(separator: ".")): \(problem.message)")
      }
      parsed.said.insert(key.name)
    }
    return parsed
  }

  /// The command line that `parse` reads as these options.
  public var arguments: [String] {
    Self.settingKeys.flatMap { $0.options(for: service) } + Self.listenerKeys.flatMap { $0.options(for: self) }
      + (service.exec.isEmpty ? [] : ["--"] + service.exec)
  }
}

extension ParsedListenerOptions {
  fileprivate mutating func setProgram(_ words: [String]) throws(ListenerOptionProblem) {
    guard let exec = ServiceSettings.key(named: "exec") else { return }
    do throws(ValueProblems) { try exec.read(.list(words.map { .word($0) }), into: &options.service) } catch {
      throw ListenerOptionProblem("--: \(error.problems[0].message)")
    }
    said.insert(exec.name)
  }
}

/// Options as they are collected from a command line: each key once, with all of its words.
///
/// Every word is added in place: a list may have as many elements as fit on a command line.
private struct GivenOptions {
  private struct Given {
    let key: Key<ListenerOptions>
    /// The words of the key itself, or of each member where it is a table.
    var members: [(name: String?, words: [RawValue])] = []
    /// Places in `members`.
    var places: [String?: Int] = [:]

    mutating func add(_ word: RawValue, to member: String?) {
      guard let place = places[member] else {
        places[member] = members.count
        return members.append((member, [word]))
      }
      // Of a key that is no list, the last word holds.
      if key.isList || member != nil { members[place].words.append(word) } else { members[place].words = [word] }
    }

    var raw: RawValue {
      func value(_ words: [RawValue]) -> RawValue { words.count == 1 ? words[0] : .list(words) }
      guard key.isOpenTable else { return value(members[0].words) }
      return .table(members.map { RawValue.Member($0.name ?? "", value($0.words)) })
    }
  }

  private var given: [Given] = []
  private var places: [String: Int] = [:]

  /// In the order in which the keys were first met.
  var values: [(key: Key<ListenerOptions>, raw: RawValue)] { given.map { ($0.key, $0.raw) } }

  /// Takes an option and, unless it stands behind `=`, its value.
  mutating func take(_ option: Substring, _ rest: inout ArraySlice<String>) throws(ListenerOptionProblem) {
    let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first.map(String.init) ?? ""
    guard let (key, member) = key(of: name) else {
      let message = Self.message(onUnknown: name)
      throw ListenerOptionProblem(
        "--\(printable(name)): \(message)" + (message == UnknownKey.plainMessage ? "; see --help" : ""))
    }
    let value: String
    if parts.count == 2 {
      value = String(parts[1])
    } else if key.isBoolean {
      let isValue = rest.first == "true" || rest.first == "false"
      value = isValue ? rest.removeFirst() : "true"
    } else if let next = rest.popFirst() {
      value = next
    } else {
      throw ListenerOptionProblem("--\(printable(name)): its value \(key.placeholder) is missing")
    }
    add(.word(value), member, of: key)
  }

  /// The key that an option names, and the member where the key is a table of the administrator's.
  private func key(of name: String) -> (Key<ListenerOptions>, member: String?)? {
    if let key = places[name].map({ given[$0].key }) ?? ListenerOptions.key(named: name) {
      return key.isOpenTable ? nil : (key, nil)
    }
    guard let dot = name.firstIndex(of: "."), let key = ListenerOptions.key(named: String(name[..<dot])),
      key.isOpenTable
    else { return nil }
    return (key, String(name[name.index(after: dot)...]))
  }

  private static func message(onUnknown name: String) -> String {
    if name == "exec" { return "the program stands behind --" }
    if let table = ListenerOptions.key(named: name) { return "write --\(name).NAME \(table.placeholder)" }
    return UnknownKey.message(name, among: ListenerOptions.keys.map(\.name))
  }

  private mutating func add(_ word: RawValue, _ member: String?, of key: Key<ListenerOptions>) {
    let place = places[key.name] ?? given.count
    if place == given.count {
      places[key.name] = place
      given.append(Given(key: key))
    }
    given[place].add(word, to: member)
  }
}
