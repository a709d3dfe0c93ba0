import CPlatform
import Glibc

extension Program {
  /// The variables that a program gets.
  ///
  ///     let plain: Program.Environment = .inherited
  ///     let german = Program.Environment.inherited.updating(["LC_ALL": "de_DE.UTF-8", "LANGUAGE": nil])
  ///     let bare = Program.Environment.custom(["PATH": "/usr/bin:/bin"])
  ///
  /// A list of texts is one as well, each `NAME=value`: `["PATH=/usr/bin:/bin", "LC_ALL=C"]`.
  ///
  /// Source: environ(7).
  public struct Environment: Hashable, Sendable {
    /// `NAME=value` each; nil for those of the calling process.
    private var base: [[UInt8]]?
    /// Applied to the base in the order of the names; nil removes a variable.
    private var changes: [[UInt8]: [UInt8]?] = [:]

    /// The variables of the calling process, as they are when the program is started or prepared.
    public static let inherited = Environment(base: nil)

    /// No variables.
    public static let empty = Environment(base: [])

    private init(base: [[UInt8]]?) { self.base = base }

    /// The variables that these entries spell, and no others.
    ///
    /// - Parameter entries: `NAME=value` each, in any bytes but NUL.
    public init(entries: [[UInt8]]) { base = entries }

    /// The variables that these texts spell, and no others.
    ///
    /// - Parameter entries: `NAME=value` each.
    public init(entries: [String]) { self.init(entries: entries.map { Array($0.utf8) }) }

    /// These variables, and no others.
    ///
    /// - Parameter variables: names and values.  A start with a name that is empty or contains `=` fails with `EINVAL`.
    public static func custom(_ variables: [String: String]) -> Environment {
      Environment.empty.updating(variables.mapValues { $0 })
    }

    /// The same variables with some changes.
    ///
    /// - Parameter changes: the new values by name; nil removes a variable.  A start with a name that is empty or
    ///   contains `=` fails with `EINVAL`.
    public func updating(_ changes: [String: String?]) -> Environment {
      var updated = self
      for (name, value) in changes { updated.changes[Array(name.utf8)] = .some(value.map { Array($0.utf8) }) }
      return updated
    }

    /// The variables that a program started now would get, `NAME=value` each.
    public var entries: [[UInt8]] {
      var entries = base ?? Environment.ofCaller()
      if changes.isEmpty { return entries }
      entries.removeAll { changes[Array($0.prefix { $0 != UInt8(ascii: "=") })] != nil }
      for (name, value) in changes.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        if let value { entries.append(name + [UInt8(ascii: "=")] + value) }
      }
      return entries
    }

    /// The value of a variable, as a program started now would get it; nil if it would get none of that name.
    ///
    ///     let home = Program.Environment.inherited["HOME"] ?? "/"
    ///
    /// Bytes that are no UTF-8 are shown as U+FFFD.
    ///
    /// Source: getenv(3).
    public subscript(_ name: String) -> String? {
      let beginning = Array(name.utf8) + [UInt8(ascii: "=")]
      guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")),
        let entry = entries.first(where: { $0.starts(with: beginning) })
      else { return nil }
      return String(decoding: entry[beginning.count...], as: UTF8.self)
    }

    /// Whether a name was given that cannot be one: the program would get another variable.
    var hasInvalidName: Bool { changes.keys.contains { $0.isEmpty || $0.contains(UInt8(ascii: "=")) } }

    /// Whether a program gets what the calling process has, and nothing else.
    var isInherited: Bool { base == nil && changes.isEmpty }

    private static func ofCaller() -> [[UInt8]] {
      var variables: [[UInt8]] = []
      // None after clearenv(3).
      guard var entry = platform_environment() else { return [] }
      while let variable = entry.pointee {
        variables.append(Array(UnsafeRawBufferPointer(start: variable, count: strlen(variable))))
        entry += 1
      }
      return variables
    }
  }
}

extension Program.Environment: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  /// These variables, and no others: `["LC_ALL=C"]`.
  public init(arrayLiteral entries: String...) { self.init(entries: entries.map { Array($0.utf8) }) }

  /// These variables, and no others: `["LC_ALL": "C"]`.  Of two values for one name the last counts.
  public init(dictionaryLiteral variables: (String, String)...) {
    self = .custom(Dictionary(variables) { _, last in last })
  }
}
