@_spi(Begat) import UnixCore

/// The first bytes of a program, which say how the kernel executes it.
///
/// Source: execve(2), "Interpreter scripts".
struct ProgramHead {
  private let bytes: [UInt8]

  /// Nil where the file cannot be read.
  init?(of path: String) {
    guard let descriptor = try? Descriptor.open(path, [.readOnly, .nonBlocking]),
      let bytes = try? FileSystem.content(of: descriptor, at: path, atMost: 256)
    else { return nil }
    self.bytes = bytes
  }

  /// The path behind `#!` in a script's first line; nil for other programs.
  var interpreter: String? {
    guard bytes.starts(with: "#!".utf8) else { return nil }
    let line = bytes.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    return String(decoding: line.drop(while: isBlank).prefix { !isBlank($0) && $0 != 0 }, as: UTF8.self)
  }

  /// Whether the file begins as text does: formats that the kernel executes have bytes that text has not.
  var isText: Bool { bytes.allSatisfy { $0 >= 0x20 || (0x09...0x0d).contains($0) } }
}
