/// How the value of a key is written: one grammar for configuration files and for options.
public struct Syntax<Value>: Sendable {
  /// Stands for the value in a synopsis: `N`, `TIME`, `PATH`.
  public let placeholder: String
  /// Completes "expected …", with an example where that helps.
  public let expectation: String
  /// A value to show where the key has no default.
  public let example: RawValue
  let read: @Sendable (RawValue) throws(ValueProblems) -> Value
  /// Nil when the value cannot be written: the key is left out instead.
  let render: @Sendable (Value) -> RawValue?
  /// Whether every reader takes a number in quotes for such a value: then only the quotes are missing.
  let takesQuoted: @Sendable (Int64) -> Bool

  /// - Parameter takesQuoted: nil where the syntax alone decides.
  init(
    _ placeholder: String, _ expectation: String, example: RawValue,
    read: @escaping @Sendable (RawValue) throws(ValueProblems) -> Value,
    render: @escaping @Sendable (Value) -> RawValue?, takesQuoted: (@Sendable (Int64) -> Bool)? = nil
  ) {
    self.takesQuoted = takesQuoted ?? { number in (try? read(.string(String(number)))) != nil }
    self.placeholder = placeholder
    self.expectation = expectation
    self.example = example
    self.read = read
    self.render = render
  }

  /// A syntax that either reads a value or does not.
  ///
  /// - Parameter parse: nil for anything but such a value.
  /// - Parameter hint: what was probably meant by a value that cannot be read.
  init(
    _ placeholder: String, _ expectation: String, example: RawValue,
    parse: @escaping @Sendable (RawValue) -> Value?,
    render: @escaping @Sendable (Value) -> RawValue?,
    hint: @escaping @Sendable (RawValue) -> String? = { _ in nil }, takesQuoted: (@Sendable (Int64) -> Bool)? = nil
  ) {
    self.init(
      placeholder, expectation, example: example,
      read: { raw throws(ValueProblems) in
        if let value = parse(raw) { return value }
        throw ValueProblems("expected \(expectation), found \(raw.shown)" + (hint(raw).map { "; \($0)" } ?? ""))
      }, render: render, takesQuoted: takesQuoted)
  }

  /// The same syntax for a value that may be unset, for which there is no text: the key is then left out.
  var optional: Syntax<Value?> {
    Syntax<Value?>(
      placeholder, expectation, example: example,
      read: { raw throws(ValueProblems) in try read(raw) }, render: { $0.flatMap(render) }, takesQuoted: takesQuoted)
  }
}
