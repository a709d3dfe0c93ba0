@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Lines of two outputs on one, each with the name of its output in front, and never one within another.
struct LineLabels {
  /// Whether lines are made fit for a terminal.
  let isPrintable: Bool
  private var begun: [Conversation.Stream: [UInt8]] = [:]

  /// A line above it is passed on in pieces, each of which is a line.
  static let longest = 1 << 20

  init(isPrintable: Bool) { self.isPrintable = isPrintable }

  /// - Returns: what became whole.
  mutating func add(_ bytes: UnsafeRawBufferPointer, from stream: Conversation.Stream) -> [UInt8] {
    var whole: [UInt8] = []
    whole.reserveCapacity(bytes.count * 2)
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      appendLine(of: stream, endingWith: rest[..<end], to: &whole)
      rest = rest[(end + 1)...]
    }
    if !rest.isEmpty { begun[stream, default: []] += rest }
    if begun[stream, default: []].count > Self.longest { appendLine(of: stream, endingWith: [], to: &whole) }
    return whole
  }

  /// What is left at the end: lines without an end of their own.
  mutating func takeRest() -> [UInt8] {
    var lines: [UInt8] = []
    for stream in [Conversation.Stream.output, .errors] where begun[stream] != nil {
      appendLine(of: stream, endingWith: [], to: &lines)
    }
    return lines
  }

  private mutating func appendLine(
    of stream: Conversation.Stream, endingWith end: some Collection<UInt8>, to lines: inout [UInt8]
  ) {
    lines += stream == .output ? "out: ".utf8 : "err: ".utf8
    let beginning = begun.removeValue(forKey: stream) ?? []
    if isPrintable {
      lines += escaped(beginning + end, doublingBackslashes: false).utf8
    } else {
      lines += beginning
      lines += end
    }
    lines.append(UInt8(ascii: "\n"))
  }
}
