/// What was sent and is in no command line, so that it is not shown when a terminal's echo of it was the last that came.
struct SentSecrets {
  private var values: [[UInt8]] = []
  private var lines: [[UInt8]] = []

  /// Lines shorter than this, such as "yes", would match in almost any output.
  static let shortestLine = 4
  private static let replacement = Array("[sent]".utf8)

  mutating func add(value: [UInt8]) { values.append(contentsOf: Self.lines(of: value)) }

  /// The last piece of a file takes the place of those before it, whose echo is long past.
  mutating func set(filePiece: [UInt8]) { lines = Self.lines(of: filePiece).filter { $0.count >= Self.shortestLine } }

  private static func lines(of text: [UInt8]) -> [[UInt8]] {
    // A terminal shows their ends otherwise than they were sent.
    text.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.map(Array.init)
  }

  /// - Parameter isCut: whether there were bytes before them, which may have the beginning of a secret.
  func blotted(_ bytes: [UInt8], isCut: Bool) -> [UInt8] {
    let secrets = (values + lines).sorted { $0.count > $1.count }
    var blotted: [UInt8] = []
    var rest = bytes[...]
    if isCut, let end = secrets.compactMap({ Self.lengthOfEnd(of: $0, at: rest) }).max() {
      blotted += Self.replacement
      rest = rest.dropFirst(end)
    }
    while let byte = rest.first {
      if let secret = secrets.first(where: { rest.starts(with: $0) }) {
        blotted += Self.replacement
        rest = rest.dropFirst(secret.count)
      } else {
        blotted.append(byte)
        rest = rest.dropFirst()
      }
    }
    return blotted
  }

  /// How many of the first bytes are a secret's last ones; nil where none are.
  private static func lengthOfEnd(of secret: [UInt8], at bytes: ArraySlice<UInt8>) -> Int? {
    (1..<max(1, min(secret.count, bytes.count + 1))).last { bytes.starts(with: secret.suffix($0)) }
  }
}
