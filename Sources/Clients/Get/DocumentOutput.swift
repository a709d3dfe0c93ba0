import Glibc
@_spi(Begat) import UnixCore

/// Where one document goes: a file, which is replaced when the document is complete, or standard output.
final class DocumentOutput {
  private let path: String?
  private let isTerminal: Bool
  private var text = TerminalText()
  private var replacement: FileReplacement?
  /// A device, a pipe or a socket, which cannot be replaced.
  private var device: Descriptor?

  /// - Parameter path: nil for standard output.
  init(path: String?) {
    self.path = path
    isTerminal = path == nil && StandardStream.output.isTerminal
  }

  var isStandardOutput: Bool { path == nil }
  /// Whether written text is seen immediately.
  var isSeen: Bool { isTerminal }

  func begin() throws(SystemCallError) {
    guard let path else { return }
    do throws(SystemCallError) {
      let kind = try FileKind(at: path, followingLinks: true)
      if kind != .regular {
        device = try Descriptor.open(path, .writeOnly)
        return
      }
    } catch { if error.code != .noSuchFileOrDirectory { throw error } }
    replacement = try FileReplacement(of: path)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    if isTerminal { return try StandardStream.output.write(text.shown(bytes)) }
    guard let path else { return try StandardStream.output.write(bytes) }
    do throws(SystemCallError) {
      try replacement?.contents.writeAll(bytes)
      try device?.writeAll(bytes)
    } catch { throw SystemCallError("write", on: path, code: error.code) }
  }

  func write(_ bytes: [UInt8]) throws(SystemCallError) {
    try bytes.withUnsafeBufferPointer { elements throws(SystemCallError) in try write(UnsafeRawBufferPointer(elements))
    }
  }

  /// The document is complete.
  func finish() throws(SystemCallError) {
    if isTerminal { try endLine() }
    if let file = replacement.take() { try file.commit() }
    device = nil
  }

  /// The document will not be complete: the old file stays.
  func abandon() {
    if isTerminal { try? endLine() }
    replacement = nil
    device = nil
  }

  /// What the terminal shows next begins on a line of its own.
  private func endLine() throws(SystemCallError) {
    let rest = text.finish()
    try StandardStream.output.write(text.isAtLineStart ? rest : rest + "\n")
  }
}
