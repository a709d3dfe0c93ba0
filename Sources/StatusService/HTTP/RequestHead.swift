/// The head of a request, as far as a service that answers questions needs it.
///
/// Source: RFC 9112, HTTP/1.1; RFC 9110, HTTP Semantics.
struct RequestHead: Hashable {
  /// As written: methods are case-sensitive.
  var method: String
  /// Without the query; empty for a target that is no path, such as `*`.
  var path: String
  /// The server for which the request is meant, with its port; nil for HTTP/1.0 without one.
  var authority: String?

  /// The answer to bytes that are no head of a request.
  struct Problem: Error, Hashable {
    let status: AnswerStatus
    /// One line for people.
    let message: String

    init(_ status: AnswerStatus, _ message: String) {
      self.status = status
      self.message = message
    }

    init(_ message: String) { self.init(.badRequest, message) }
  }

  /// Heads are no longer, in bytes.
  static let maxLength = 8192

  /// Finds the end of a head.
  ///
  /// Lines end with CR LF or with LF alone; empty lines before the first one do not count.
  ///
  /// - Parameter start: where to begin: the end cannot be at a byte before it.
  /// - Returns: how many bytes the head has, with the empty line behind it; nil where that has not come yet.
  ///
  /// Source: RFC 9112 section 2.2.
  static func length(in bytes: [UInt8], from start: Int = 0) -> Int? {
    let first = bytes.firstIndex { $0 != HTTPByte.lineFeed && $0 != HTTPByte.carriageReturn } ?? bytes.count
    var index = max(start, first)
    while index < bytes.count {
      guard bytes[index] == HTTPByte.lineFeed else {
        index += 1
        continue
      }
      let next = index + 1
      if next < bytes.count, bytes[next] == HTTPByte.lineFeed { return next + 1 }
      if next + 1 < bytes.count, bytes[next] == HTTPByte.carriageReturn, bytes[next + 1] == HTTPByte.lineFeed {
        return next + 2
      }
      index += 1
    }
    return nil
  }

  /// Reads a whole head.
  ///
  /// - Parameter bytes: as many as `length(in:)` has found.
  init(_ bytes: ArraySlice<UInt8>) throws(Problem) {
    var lines = try RequestHead.lines(bytes)[...]
    while lines.first?.isEmpty == true { lines = lines.dropFirst() }
    guard let request = lines.popFirst() else { throw Problem("an empty request") }
    let (method, target, isOldVersion) = try RequestHead.requestLine(request)
    let host = try RequestHead.host(in: lines)
    guard host != nil || isOldVersion else { throw Problem("a request of HTTP/1.1 needs a header field Host") }
    self.method = method
    let parsed = try RequestTarget(target)
    path = parsed.path
    // A target that names a server is asked of that one, whatever Host says.
    authority = parsed.authority ?? host
  }

  // MARK: Lines

  private typealias Line = ArraySlice<UInt8>

  /// The lines without their ends.
  private static func lines(_ bytes: Line) throws(Problem) -> [Line] {
    var lines: [Line] = []
    for var line in bytes.split(separator: HTTPByte.lineFeed, omittingEmptySubsequences: false) {
      if line.last == HTTPByte.carriageReturn { line.removeLast() }
      guard !line.contains(where: { HTTPByte.isControl($0) }) else {
        throw Problem("a control character in the head of the request")
      }
      lines.append(line)
    }
    return lines
  }

  /// Source: RFC 9112 section 3.
  private static func requestLine(
    _ line: Line
  ) throws(Problem) -> (method: String, target: Line, isOldVersion: Bool) {
    let words = line.split(separator: HTTPByte.space, omittingEmptySubsequences: false)
    guard words.count == 3, !words[0].isEmpty, words[0].allSatisfy(HTTPByte.isToken) else {
      throw Problem("the first line is not of the form: METHOD TARGET HTTP/1.1")
    }
    let digits = words[2].dropFirst(5)
    guard words[2].count == 8, words[2].starts(with: "HTTP/".utf8), digits.dropFirst().first == UInt8(ascii: "."),
      [digits.first, digits.last].allSatisfy({ $0.map(HTTPByte.isDigit) ?? false })
    else { throw Problem("the first line does not end with a version such as HTTP/1.1") }
    let version = String(decoding: words[2], as: UTF8.self)
    guard version.hasPrefix("HTTP/1.") else { throw Problem(.versionNotSupported, "only HTTP/1.1 is spoken here") }
    return (String(decoding: words[0], as: UTF8.self), words[1], version == "HTTP/1.0")
  }

  /// The value of the field Host; nil where there is none.
  ///
  /// Source: RFC 9112 sections 3.2, 5.
  private static func host(in lines: ArraySlice<Line>) throws(Problem) -> String? {
    var host: String?
    for line in lines where !line.isEmpty {
      guard line.first != HTTPByte.space, line.first != HTTPByte.tab else {
        throw Problem("a header field over several lines")
      }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
        line[..<colon].allSatisfy(HTTPByte.isToken)
      else { throw Problem("a header field that is not of the form: NAME: VALUE") }
      guard String(decoding: line[..<colon], as: UTF8.self).lowercased() == "host" else { continue }
      guard host == nil else { throw Problem("two header fields Host") }
      host = String(decoding: HTTPByte.trimmed(line[(colon + 1)...]), as: UTF8.self)
    }
    return host
  }
}

/// The bytes of HTTP's grammar.
enum HTTPByte {
  static let lineFeed: UInt8 = 10
  static let carriageReturn: UInt8 = 13
  static let space: UInt8 = 32
  static let tab: UInt8 = 9

  /// A control character other than a tab: a CR alone is one.
  static func isControl(_ byte: UInt8) -> Bool { byte < 32 && byte != tab || byte == 127 }

  static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// Source: RFC 9110 section 5.6.2.
  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// Without spaces and tabs around it.
  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }
    let start = bytes.drop(while: isBlank)
    guard let last = start.lastIndex(where: { !isBlank($0) }) else { return [] }
    return start[...last]
  }
}
