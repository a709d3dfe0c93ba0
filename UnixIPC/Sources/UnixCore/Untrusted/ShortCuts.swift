// Short cuts from untrusted bytes to a text, a number or a path: here only for the compiler to refuse them, with a word
// about the check to take.

/// A value that contains untrusted bytes: the compiler refuses to put it into a text.
///
/// Your own types that contain such bytes may conform, and are refused as well.
public protocol Untrusted: _NoTextBeforeACheck, _NoTextUnlessEscaped {}

/// See `Untrusted`.
public protocol _NoTextBeforeACheck {}
/// See `Untrusted`.
public protocol _NoTextUnlessEscaped {}

extension UntrustedBytes: Untrusted {}
extension Optional: Untrusted, _NoTextBeforeACheck, _NoTextUnlessEscaped where Wrapped: Untrusted {}
extension Array: Untrusted, _NoTextBeforeACheck, _NoTextUnlessEscaped where Element: Untrusted {}
extension ArraySlice: Untrusted, _NoTextBeforeACheck, _NoTextUnlessEscaped where Element: Untrusted {}
extension Set: Untrusted, _NoTextBeforeACheck, _NoTextUnlessEscaped where Element: Untrusted {}

// What takes a value of any type cannot be declared unavailable for one: the compiler would fall back on the general
// form.  But where two forms fit equally well, it refuses to choose, and shows both.

extension DefaultStringInterpolation {
  /// Refused: write `\(bytes.escaped)`.
  public mutating func appendInterpolation(_ writeEscapedInstead: some _NoTextUnlessEscaped) {
    appendInterpolation(String(reflecting: writeEscapedInstead as Any))
  }

  /// Refused: check first, such as by `text()`.
  public mutating func appendInterpolation(_ orCheckFirstWithText: some _NoTextBeforeACheck) {
    appendInterpolation(String(reflecting: orCheckFirstWithText as Any))
  }
}

extension String {
  /// Refused: write `bytes.escaped`.
  public init(describing useEscapedInstead: some _NoTextUnlessEscaped) {
    self.init(reflecting: useEscapedInstead as Any)
  }

  /// Refused: check first, such as by `text()`.
  public init(describing orCheckFirstWithText: some _NoTextBeforeACheck) {
    self.init(reflecting: orCheckFirstWithText as Any)
  }

  @available(*, unavailable, message: "check first: text(), word(of:), argument() or fileName(); escaped is for logs")
  public init(_ bytes: some Untrusted) { fatalError() }

  @available(*, unavailable, message: "check first: text(), word(of:), argument() or fileName(); escaped is for logs")
  public init(decoding bytes: some Untrusted, as encoding: UTF8.Type) { fatalError() }
}

extension FixedWidthInteger {
  @available(*, unavailable, message: "check first: number(in:)")
  public init(_ bytes: some Untrusted) { fatalError() }

  @available(*, unavailable, message: "check first: number(in:)")
  public init(decimal bytes: some Untrusted) { fatalError() }
}

extension Array where Element == UInt8 {
  @available(*, unavailable, message: "check first: checked(_:); withUncheckedBytes(_:) is for sending them on")
  public init(_ bytes: some Untrusted) { fatalError() }
}

extension UntrustedBytes {
  @available(*, unavailable, message: "compare with isWord(_:ignoringCase:)")
  public static func == (bytes: UntrustedBytes, text: String) -> Bool { fatalError() }

  @available(*, unavailable, message: "compare with isWord(_:ignoringCase:)")
  public static func == (text: String, bytes: UntrustedBytes) -> Bool { fatalError() }

  @available(*, unavailable, message: "check first: text(), argument() or path(below:); escaped is for logs")
  public static func + (text: String, bytes: UntrustedBytes) -> String { fatalError() }

  @available(*, unavailable, message: "check first: text(), argument() or path(below:); escaped is for logs")
  public static func + (bytes: UntrustedBytes, text: String) -> String { fatalError() }
}

extension Descriptor {
  @available(*, unavailable, message: "check first: path(below:); or relativePath() and open(beneath:_:mode:)")
  public static func open(_ path: some Untrusted, _ flags: OpenFlags, mode: UInt32 = 0) -> Descriptor { fatalError() }

  @available(*, unavailable, message: "check first: relativePath() or fileName()")
  public func open(beneath path: some Untrusted, _ flags: OpenFlags, mode: UInt32 = 0) -> Descriptor { fatalError() }
}

extension Program {
  @available(*, unavailable, message: "a program is never the peer's choice: compare with isWord(_:ignoringCase:)")
  public init(
    path: some Untrusted, arguments: [String] = [], environment: Environment = .inherited, directory: String? = nil
  ) { fatalError() }

  // Of anything, because the literal of a list has the bytes beside texts.
  @available(*, unavailable, message: "arguments are texts; untrusted bytes become one by argument()")
  public init(path: String, arguments: [Any], environment: Environment = .inherited, directory: String? = nil) {
    fatalError()
  }
}
