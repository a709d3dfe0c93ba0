@_spi(Begat) import UnixCore

/// The status line and headers of an answer, as they come; of several answers to one question, the last.
struct AnswerHead {
  /// Its lines as they came, each with its end, without the empty one that ends them.
  private(set) var lines: [[UInt8]] = []
  private(set) var isComplete = false
  /// The bodies' lengths as they were announced.
  private(set) var lengths: Set<[UInt8]> = []
  private(set) var location: [UInt8]?
  /// Bytes of all heads together.
  private var size = 0

  /// More than servers send and less than hurts.
  static let mostBytes = 256 << 10

  /// Takes the next line.
  ///
  /// - Returns: why no more is taken; nil while all is well.
  mutating func add(_ line: some Collection<UInt8>) -> String? {
    size += line.count
    if size > Self.mostBytes { return "headers of more than \(Self.mostBytes >> 10) KiB" }
    if isComplete { self = AnswerHead(size: size) }
    if line.allSatisfy({ $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }) {
      isComplete = true
      return nil
    }
    lines.append(Array(line))
    if let length = value(of: "content-length", in: line) {
      lengths.insert(length)
      // libcurl would take what is too great for a number for no length at all.
      if Int(decimal: String(decoding: length, as: UTF8.self)) == nil { return "the announced length is no number" }
      // Who takes the first and who takes the second see two different answers.
      if lengths.count > 1 { return "two different lengths are announced" }
    }
    if let value = value(of: "location", in: line) { location = value }
    return nil
  }

  init() {}

  private init(size: Int) { self.size = size }

  /// What the server says of the status: the status line's words after the number, which may be none.
  var reason: [UInt8] {
    let words = words(of: lines.first ?? [])
    return words.count == 3 ? Self.trimmed(words[2]) : []
  }

  /// Begins with the line that has the status: trailers of a redirect's body, which come like headers of the next
  /// answer, may pretend to be another one.
  mutating func begin(withStatus status: Int) {
    lines.removeFirst(
      lines.firstIndex { words(of: $0).dropFirst().first.map { $0.elementsEqual("\(status)".utf8) } == true } ?? 0)
  }

  private func words(of line: [UInt8]) -> [ArraySlice<UInt8>] {
    line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: true)
  }

  /// The length as a number; nil where none is announced, or one that is no number.
  var length: Int? { lengths.first.flatMap { Int(decimal: String(decoding: $0, as: UTF8.self)) } }

  private func value(of name: String, in line: some Collection<UInt8>) -> [UInt8]? {
    guard line.count > name.utf8.count,
      zip(line, name.utf8).allSatisfy({ $0 | 0x20 == $1 || $0 == $1 }),
      line.dropFirst(name.utf8.count).first == UInt8(ascii: ":")
    else { return nil }
    return Self.trimmed(Array(line.dropFirst(name.utf8.count + 1))[...])
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    let rest = bytes.drop { $0 <= 0x20 }
    return Array(rest[..<((rest.lastIndex { $0 > 0x20 }).map { $0 + 1 } ?? rest.startIndex)])
  }
}
