import Monitoring
@_spi(Begat) import UnixCore

/// The statuses of answers.
///
/// Source: RFC 9110 section 15; RFC 6585 section 5.
enum AnswerStatus: Int, Sendable {
  case ok = 200
  case badRequest = 400
  case notFound = 404
  case methodNotAllowed = 405
  case requestTimeout = 408
  case misdirectedRequest = 421
  case headTooLarge = 431
  case serviceUnavailable = 503
  case versionNotSupported = 505

  var phrase: StaticString {
    switch self {
    case .ok: "OK"
    case .badRequest: "Bad Request"
    case .notFound: "Not Found"
    case .methodNotAllowed: "Method Not Allowed"
    case .requestTimeout: "Request Timeout"
    case .misdirectedRequest: "Misdirected Request"
    case .headTooLarge: "Request Header Fields Too Large"
    case .serviceUnavailable: "Service Unavailable"
    case .versionNotSupported: "HTTP Version Not Supported"
    }
  }
}

/// An answer: it is the last one of its connection.
struct Answer {
  var status: AnswerStatus
  var mediaType: StaticString
  var body: [UInt8]

  init(_ mediaType: StaticString, _ body: [UInt8], _ status: AnswerStatus = .ok) {
    self.status = status
    self.mediaType = mediaType
    self.body = body
  }

  /// Text for people: lines without their ends.
  init(_ status: AnswerStatus, lines: [String]) {
    self.init("text/plain; charset=utf-8", lines.flatMap { Array("\($0)\n".utf8) }, status)
  }

  init(_ problem: RequestHead.Problem) { self.init(problem.status, lines: [problem.message]) }

  /// The bytes that the client gets.
  ///
  /// - Parameter hasBody: whether they have the body too; the head is the same.
  /// - Parameter now: seconds since 1970-01-01 00:00 UTC.
  ///
  /// Source: RFC 9112; RFC 9110 sections 8, 9.3.2.
  func bytes(hasBody: Bool, now: Int64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512 + body.count)
    bytes.append("HTTP/1.1 ")
    bytes.append(decimal: status.rawValue)
    bytes.append(" ")
    bytes.append(status.phrase)
    bytes.append("\r\nDate: ")
    bytes.append(contentsOf: HTTPDate.text(now).utf8)
    bytes.append("\r\nContent-Type: ")
    bytes.append(mediaType)
    bytes.append("\r\nContent-Length: ")
    bytes.append(decimal: body.count)
    if status == .methodNotAllowed { bytes.append("\r\nAllow: GET, HEAD") }
    bytes.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: ")
    bytes.append(Page.contentSecurityPolicy)
    // No page of another site may show it as a part of its own.
    bytes.append("\r\nCross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n\r\n")
    if hasBody { bytes += body }
    return bytes
  }
}
