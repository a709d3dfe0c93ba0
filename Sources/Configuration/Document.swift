import TOMLKit
import UnixIPC

/// A configuration file that was read and parsed, or the embedded one.
struct Document {
  /// What messages call it.
  let file: String
  let root: TOMLTree
  private let lines: [[String]: Int]
  private let elementLines: [[String]: [Int]]

  /// - Throws: the first thing that keeps the text from being TOML, with its line.
  init(file: String, bytes: [UInt8]) throws(ConfigurationProblem) {
    let text = try Document.text(of: bytes, file: file)
    let scanner = KeyScanner(Array(text.utf8))
    self.file = file
    lines = scanner.lines
    elementLines = scanner.elementLines
    guard let hazard = scanner.hazard else {
      root = try Document.parse(text, file: file)
      return
    }
    // What comes before it is harmless and may have an error of its own, to be told first.
    _ = try Document.parse(String(decoding: text.utf8.prefix(hazard.offset), as: UTF8.self), file: file)
    throw ConfigurationProblem(file: file, line: hazard.line, column: hazard.column, message: hazard.message)
  }

  private static func parse(_ text: String, file: String) throws(ConfigurationProblem) -> TOMLTree {
    do {
      return TOMLTree(try TOMLTable(string: text))
    } catch let error as TOMLParseError {
      let begin = error.source.begin
      let message = "syntax error: " + escaped(error.description.utf8.prefix(300))
      throw ConfigurationProblem(file: file, line: begin.line, column: begin.column, message: message)
    } catch {
      throw ConfigurationProblem(file: file, message: "syntax error")
    }
  }

  /// The line of a key or, where none is found, of the table around it.
  func line(of path: [String]) -> Int {
    var path = path
    while !path.isEmpty {
      if let line = lines[path] { return line }
      path.removeLast()
    }
    return 1
  }

  /// The line of an element of an array.
  func line(of path: [String], element: Int) -> Int {
    guard let lines = elementLines[path], element < lines.count else { return line(of: path) }
    return lines[element]
  }

  /// The bytes as text, without byte order marks: the parser skips one, the scanner none.
  private static func text(of bytes: [UInt8], file: String) throws(ConfigurationProblem) -> String {
    var bytes = bytes[...]
    while bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
    guard !bytes.contains(0) else {
      throw ConfigurationProblem(file: file, line: firstLine(of: bytes) { $0.contains(0) }, message: "a NUL byte")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let line = firstLine(of: bytes) { String(validating: $0, as: UTF8.self) == nil }
      throw ConfigurationProblem(file: file, line: line, message: "not UTF-8")
    }
    return text
  }

  private static func firstLine(of bytes: ArraySlice<UInt8>, where isWrong: (ArraySlice<UInt8>) -> Bool) -> Int? {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.firstIndex(where: isWrong).map { $0 + 1 }
  }
}

/// A parsed value, free of the parser's types.
enum TOMLTree {
  case table([(name: String, value: TOMLTree)])
  case array([TOMLTree])
  case string(String)
  case integer(Int)
  case boolean(Bool)
  /// A kind that no key takes, by its name.
  case other(String)

  /// The kind with its article, for messages.
  var kind: String {
    switch self {
    case .table: "a table"
    case .array: "an array"
    case .string: "a string"
    case .integer: "an integer"
    case .boolean: "a boolean"
    case .other(let name): "a \(name)"
    }
  }

  /// Copies the parser's tree, whose depth `KeyScanner` has bounded.
  init(_ value: any TOMLValueConvertible) {
    if let table = value.table {
      self = .table(
        table.keys.compactMap { name in table[name].map { (name: name, value: TOMLTree($0.tomlValue)) } })
    } else if let array = value.array {
      self = .array((0..<array.count).map { TOMLTree(array[$0].tomlValue) })
    } else if let string = value.string {
      self = .string(string)
    } else if let integer = value.int {
      self = .integer(integer)
    } else if let boolean = value.bool {
      self = .boolean(boolean)
    } else {
      self = .other(value.type.description)
    }
  }
}
