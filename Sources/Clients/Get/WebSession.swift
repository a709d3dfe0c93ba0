import CCurl
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// Asks one web server for one document after another.
final class WebSession {
  private let settings: GetSettings
  private let curl: CurlHandle
  private var note = TerminalNote()

  init(_ settings: GetSettings) throws {
    self.settings = settings
    curl = try CurlHandle()
    // The later ones are what a redirect may lead to: what began with https is not continued in the clear.
    try curl.set(CURLOPT_PROTOCOLS_STR, to: "http,https")
    try curl.set(CURLOPT_REDIR_PROTOCOLS_STR, to: settings.server.scheme == .https ? "https" : "http,https")
    try curl.set(CURLOPT_FOLLOWLOCATION, to: settings.followsRedirects ? 1 : 0)
    try curl.set(CURLOPT_MAXREDIRS, to: GetSettings.mostRedirects)
    try curl.set(CURLOPT_HTTP_VERSION, to: CURL_HTTP_VERSION_1_1)
    // The host itself is asked, whatever the environment says of proxies.
    try curl.set(CURLOPT_PROXY, to: "")
    try curl.set(CURLOPT_PATH_AS_IS, to: 1)
    try curl.set(CURLOPT_DISALLOW_USERNAME_IN_URL, to: 1)
    try curl.set(CURLOPT_USERAGENT, to: "begat/\(BegatVersion.text)")
    try curl.set(CURLOPT_BUFFERSIZE, to: 128 << 10)
    try curl.set(CURLOPT_NOBODY, to: settings.asksHeadOnly ? 1 : 0)
    try curl.set(headers: settings.headers.map(\.text))
    if let authorities = settings.authorities { try curl.set(CURLOPT_CAINFO, to: authorities) }
    if settings.acceptsAnyCertificate {
      try curl.set(CURLOPT_SSL_VERIFYPEER, to: 0)
      try curl.set(CURLOPT_SSL_VERIFYHOST, to: 0)
    }
    switch settings.family {
    case .ipv4: try curl.set(CURLOPT_IPRESOLVE, to: Int(CURL_IPRESOLVE_V4))
    case .ipv6: try curl.set(CURLOPT_IPRESOLVE, to: Int(CURL_IPRESOLVE_V6))
    default: break
    }
    try limitTime()
    switch settings.server.target {
    case .host: break
    case .unix(.unixAbstract(let name)):
      try curl.set(CURLOPT_ABSTRACT_UNIX_SOCKET, to: String(decoding: name, as: UTF8.self))
    // As it is: a description has backslashes and bytes outside ASCII escaped.
    case .unix(.unixPath(let path)):
      try curl.set(CURLOPT_UNIX_SOCKET_PATH, to: String(decoding: path.bytes, as: UTF8.self))
    case .unix: break
    }
  }

  private func limitTime() throws {
    guard let timeout = settings.timeout else {
      try curl.set(CURLOPT_CONNECTTIMEOUT_MS, to: GetSettings.connectLimit)
      try curl.set(CURLOPT_LOW_SPEED_LIMIT, to: 1)
      try curl.set(CURLOPT_LOW_SPEED_TIME, to: Int(GetSettings.silenceLimit.components.seconds))
      return
    }
    try curl.set(CURLOPT_CONNECTTIMEOUT_MS, to: min(timeout, GetSettings.connectLimit))
    try curl.set(CURLOPT_TIMEOUT_MS, to: timeout)
  }

  /// What became of one document.
  enum Outcome {
    case answered(GetResult)
    /// No connection: the next question would wait for it as long.
    case unreachable(GetResult)
    /// No document is left to ask for.
    case outputFailed(SystemCallError)
  }

  func fetch(_ document: WebDocument, to output: DocumentOutput) throws -> Outcome {
    try curl.set(CURLOPT_URL, to: settings.server.url(of: document))
    // The library would send the bytes of the URL.
    try curl.set(CURLOPT_REQUEST_TARGET, to: document.requested)
    let start = SystemClock.monotonic()
    let receiver = AnswerReceiver(
      settings: settings, output: output, status: { self.curl.number(CURLINFO_RESPONSE_CODE) },
      waited: { received in self.waited(for: document, since: start, received: received, output: output) },
      begins: { self.note.clear() }, followed: { try? self.curl.unset(CURLOPT_REQUEST_TARGET) })
    var failure: CurlHandle.Failure?
    do throws(CurlHandle.Failure) { try curl.perform(receiver) } catch { failure = error }
    note.clear()
    var result = GetResult(document: document)
    result.seconds = Double(SystemClock.monotonic() - start) / 1e9
    fill(&result, from: receiver, failure)
    switch receiver.stop {
    case .unwritable(var problem):
      // No connection is meant here.
      if problem.code == .timedOut { problem = SystemCallError(problem.call, on: problem.object, code: .timerExpired) }
      if output.isStandardOutput { return .outputFailed(problem) }
      result.failure = "\(problem)"
    case .refused(let why): result.failure = why
    case .notWanted: break
    case nil:
      result.failure = failure.map { words(for: $0, result, receiver) }
      if failure == nil, !receiver.isDecided { result.failure = "the connection has ended within the headers" }
    }
    do throws(SystemCallError) { try finish(output, receiver, &result) } catch {
      if output.isStandardOutput { return .outputFailed(error) }
      result.failure = "\(error)"
    }
    if result.status == 206, !result.isDocument, result.failure == nil {
      result.failure = "a part of the document, which was not asked for"
    }
    let isUnreachable = failure.map { isConnecting($0) } == true && result.status == nil
    return isUnreachable ? .unreachable(result) : .answered(result)
  }
}

extension WebSession {
  private func fill(_ result: inout GetResult, from receiver: AnswerReceiver, _ failure: CurlHandle.Failure?) {
    // Where a redirect went wrong, the last answer is what there is to tell of.
    let status = receiver.head.lines.isEmpty ? 0 : curl.number(CURLINFO_RESPONSE_CODE)
    if status >= 200 || failure == nil && receiver.stop == nil {
      result.status = status
      result.isDocument = settings.isDocument(status)
      result.reason = receiver.head.reason
      if (300..<400).contains(status) { result.location = receiver.head.location }
    }
    result.bytes = receiver.bytes
    result.isKept = receiver.isTaken
    let wasAsked = curl.number(CURLINFO_REQUEST_SIZE) > 0
    result.isConnectionReused = wasAsked && curl.number(CURLINFO_NUM_CONNECTS) == 0
  }

  private func finish(
    _ output: DocumentOutput, _ receiver: AnswerReceiver, _ result: inout GetResult
  ) throws(SystemCallError) {
    guard receiver.isTaken else { return }
    if result.failure == nil { return try output.finish() }
    output.abandon()
    if !output.isStandardOutput { result.isKept = false }
  }

  /// Whether it failed before anything was asked.
  private func isConnecting(_ failure: CurlHandle.Failure) -> Bool {
    failure.code != CURLE_URL_MALFORMAT && curl.number(CURLINFO_REQUEST_SIZE) == 0
  }

  private func words(for failure: CurlHandle.Failure, _ result: GetResult, _ receiver: AnswerReceiver) -> String {
    let error = ErrorCode(rawValue: CInt(truncatingIfNeeded: curl.number(CURLINFO_OS_ERRNO)))
    switch failure.code {
    case CURLE_COULDNT_CONNECT where error.rawValue != 0 && result.status == nil:
      return "connect \(settings.server): \(error)"
    // An address of the other family.
    case CURLE_COULDNT_CONNECT where settings.family != nil && result.status == nil:
      return "\(settings.server): no \(settings.family == .ipv6 ? "IPv6" : "IPv4") address"
    case CURLE_OPERATION_TIMEDOUT where settings.timeout == nil && !isConnecting(failure):
      return "less than a byte a second for \(GetSettings.silenceLimit.components.seconds) s"
    // The same number for two things; later libraries have one for this, CURLE_TOO_LARGE.
    case CURLE_OUT_OF_MEMORY where !isConnecting(failure) && !receiver.isDecided, CURLcode(rawValue: 100):
      return "the server sends a header that is too long"
    case CURLE_OUT_OF_MEMORY: return "too little memory"
    case CURLE_LOGIN_DENIED: return "a URL with a user name, to which no redirect is followed"
    default: return failure.description
    }
  }

  private func waited(for document: WebDocument, since start: Int64, received: Int, output: DocumentOutput) {
    let seconds = (SystemClock.monotonic() - start) / 1_000_000_000
    // Not into the middle of what a terminal shows.
    guard note.isWatched, seconds > 0, received == 0 || !output.isSeen else { return }
    let place = escaped("\(settings.server) \(document.path)".utf8).prefix(50)
    note.show("[Waiting for \(place), \(received > 0 ? "\(received) bytes, " : "")\(seconds) s]")
  }
}
