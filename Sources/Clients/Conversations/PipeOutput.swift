@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Where the outputs of a program on pipes go: as they are, or line by line with their names.
final class PipeOutput: @unchecked Sendable {
  // Used by one thread, as `ShownOutput`.
  let shown: ShownOutput
  private var labels: LineLabels?

  init(_ shown: ShownOutput, labels: LineLabels?) {
    self.shown = shown
    self.labels = labels
  }

  /// Takes what came from the program.  What is kept back is its output only: errors are always shown.
  func take(_ stream: Conversation.Stream, _ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    if shown.isShowing || stream == .errors { try show(stream, bytes) }
  }

  func show(_ stream: Conversation.Stream, _ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    if labels == nil { return try shown.show(bytes) }
    if let lines = labels?.add(bytes, from: stream) { try shown.show(lines) }
  }

  func show(_ bytes: [UInt8]) throws(SystemCallError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(SystemCallError) in
      try show(.output, UnsafeRawBufferPointer(bytes))
    }
  }

  /// Shows lines that have no end.
  func finish() throws(SystemCallError) { if let rest = labels?.takeRest() { try shown.show(rest) } }
}
