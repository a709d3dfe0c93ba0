/// Syntaxes of values with parts: lists, tables, and a program with its arguments.
extension Syntax {
  /// A list; a single element stands for a list of one, and an empty word for an empty list.
  static func list<Element: Sendable>(of plural: String, _ element: Syntax<Element>) -> Syntax
  where Value == [Element] {
    Syntax(
      element.placeholder, "a list of \(plural) such as [\(element.example.toml)]", example: .list([element.example]),
      read: { raw throws(ValueProblems) in
        let elements: [RawValue]
        switch raw {
        case .list(let list): elements = list
        case .word(""): elements = []
        case .word, .string: elements = [raw]
        default:
          var hint = ""
          if case .integer(let number) = raw, element.takesQuoted(number) { hint = "; write [\"\(number)\"]" }
          throw ValueProblems(
            "expected a list of \(plural) such as [\(element.example.toml)], found \(raw.shown)\(hint)")
        }
        let parts = elements.enumerated().map { (ValueProblem.Step.element($0), $1) }
        return try collect(parts) { raw throws(ValueProblems) in try element.read(raw) }
      },
      render: { .list($0.compactMap(element.render)) })
  }

  /// A table whose members an administrator names.
  ///
  /// - Parameter member: makes an element of a name and a value.
  static func members<Element: Sendable>(
    _ placeholder: String, _ expectation: String, example: RawValue,
    read member: @escaping @Sendable (String, RawValue) throws(ValueProblems) -> Element,
    render: @escaping @Sendable (Element) -> RawValue.Member
  ) -> Syntax where Value == [Element] {
    Syntax(
      placeholder, expectation, example: example,
      read: { raw throws(ValueProblems) in
        guard case .table(let members) = raw else { throw ValueProblems("expected \(expectation), found \(raw.shown)") }
        let parts = members.map { (ValueProblem.Step.member($0.name), ($0.name, $0.value)) }
        return try collect(parts) { part throws(ValueProblems) in try member(part.0, part.1) }
      },
      render: { .table($0.map(render)) })
  }
}

/// Reads all parts, so that every problem is found.
private func collect<Part, Element>(
  _ parts: [(ValueProblem.Step, Part)], _ read: (Part) throws(ValueProblems) -> Element
) throws(ValueProblems) -> [Element] {
  var elements: [Element] = []
  var problems: [ValueProblem] = []
  for (step, part) in parts {
    do throws(ValueProblems) { elements.append(try read(part)) } catch {
      problems += error.problems.map { $0.within(step) }
    }
  }
  guard problems.isEmpty else { throw ValueProblems(problems) }
  return elements
}

extension Syntax where Value == [String] {
  /// The absolute path of a program, and its arguments; never a shell's command line.
  static let program = Syntax(
    "PATH", "a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"]",
    example: .list([.string("/usr/bin/program"), .string("-x")]),
    read: { raw throws(ValueProblems) in try programWords(raw) }, render: { .list($0.map { .string($0) }) })
}

/// The words of a program: an absolute path first, arguments of any text behind it.
func programWords(_ raw: RawValue) throws(ValueProblems) -> [String] {
  let expectation = Syntax<[String]>.program.expectation
  let elements: [RawValue]
  switch raw {
  case .list(let list): elements = list
  // On a command line, a single word is the path alone.
  case .word(let path): elements = [.word(path)]
  case .string(let text):
    let words = text.split(separator: " ").map { RawValue.string(String($0)) }
    throw ValueProblems(
      "expected \(expectation), found \(raw.shown)"
        + (text.hasPrefix("/") ? "; write \(RawValue.list(words).toml)" : ""))
  default: throw ValueProblems("expected \(expectation), found \(raw.shown)")
  }
  guard !elements.isEmpty else { throw ValueProblems("expected \(expectation), found an empty list") }
  var words: [String] = []
  var problems: [ValueProblem] = []
  for (index, element) in elements.enumerated() {
    guard let text = element.text, !text.utf8.contains(0) else {
      let found = element.text == nil ? element.shown : "a NUL in it"
      let message = "expected a list of an absolute path and arguments in quotes, found \(found)"
      problems.append(ValueProblem(message).within(.element(index)))
      continue
    }
    if index == 0, !text.hasPrefix("/") {
      problems.append(ValueProblem("expected \(expectation), found \(quoted(text)) as its path").within(.element(0)))
    }
    words.append(text)
  }
  guard problems.isEmpty else { throw ValueProblems(problems) }
  return words
}
