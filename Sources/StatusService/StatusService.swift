import JSON
import Monitoring
import NetworkServices
@_spi(Begat) import UnixCore

/// begatd's state over HTTP: a page for people, metrics for Prometheus, JSON, and answers to health checks.
///
/// A connection process reads what begatd and the listeners have written into shared memory, and asks none of them.  It
/// makes strings and arrays, as few other built-in services do: it is asked a few times a minute.
public struct StatusService: NetworkService {
  private let state: SharedState
  private let serviceName: String
  private let showsPeers: Bool
  private let hosts: HostCheck
  private let headTimeout: Duration

  /// - Parameter serviceName: as the configuration has it, for messages.
  /// - Parameter showsPeers: whether clients' addresses, and networks that are denied, are shown.
  /// - Parameter names: by which the server may be asked, besides addresses.
  /// - Parameter headTimeout: for the whole head of a request.
  public init(
    _ state: SharedState, serviceName: String, showsPeers: Bool, names: [String], headTimeout: Duration
  ) {
    self.state = state
    self.serviceName = serviceName
    self.showsPeers = showsPeers
    self.headTimeout = headTimeout
    hosts = HostCheck(names: names)
    warmUp()
  }

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    var reader = HeadReader()
    let end = try reader.read(&connection, until: Deadline(after: headTimeout))
    switch end {
    case .head(let head):
      // No browser comes that way, and the permissions of the file decide who does.
      let isUnix = connection.peer.address?.isUnix ?? false
      try send(answer(head, isUnix: isUnix), hasBody: head.method != "HEAD", to: &connection)
    case .problem(let problem): try send(Answer(problem), to: &connection)
    case .tooLate(let hasBegun):
      guard hasBegun else { throw connection.endProcess(missing: .firstByte) }
      try send(Answer(.requestTimeout, lines: ["the head of the request did not come in time"]), to: &connection)
      throw connection.endProcess(missing: .idle)
    }
  }

  private func send(_ answer: Answer, hasBody: Bool = true, to connection: inout Connection) throws(ConnectionFailure) {
    try connection.send(answer.bytes(hasBody: hasBody, now: SystemClock.wall() / 1_000_000_000))
  }

  // MARK: Answers

  /// - Parameter isUnix: whether the client came through a Unix socket.
  func answer(_ head: RequestHead, isUnix: Bool) -> Answer {
    guard isUnix || hosts.allows(head.authority) else {
      return Answer(
        .misdirectedRequest,
        lines: [
          "This server answers to addresses and to localhost.  For another name, add it to server-names of "
            + "[service.\(serviceName)] in the configuration of begatd."
        ])
    }
    guard head.method == "GET" || head.method == "HEAD" else {
      return Answer(.methodNotAllowed, lines: ["only GET and HEAD are answered"])
    }
    // A process that answers is alive, whatever begatd does.
    if head.path == StatusService.healthPath { return Answer(.ok, lines: ["ok"]) }
    guard let document = Document(rawValue: head.path) else {
      let paths = (Document.allCases.map(\.rawValue) + [StatusService.healthPath]).joined(separator: " ")
      return Answer(.notFound, lines: ["no such document; there are \(paths)"])
    }
    do throws(StatePageReader.Problem) { return answer(document, try state.read()) } catch {
      return Answer(.serviceUnavailable, lines: [error.explanation])
    }
  }

  private static let healthPath = "/healthz"

  /// A document that is made of the state.
  private enum Document: String, CaseIterable {
    case page = "/"
    case metrics = "/metrics"
    case json = "/status.json"
    case readiness = "/readyz"
  }

  private func answer(_ document: Document, _ daemon: DaemonState) -> Answer {
    var body: [UInt8] = []
    // Only pages that are written to are taken; growing step by step would take twice as many.
    body.reserveCapacity(65_536)
    switch document {
    case .page:
      let now = SystemClock.monotonic()
      Page.append(report(daemon, now), connections: connections(daemon, now), to: &body)
      return Answer(Page.mediaType, body)
    case .metrics:
      Metrics.append(report(daemon, SystemClock.monotonic()), to: &body)
      return Answer(Metrics.mediaType, body)
    case .json:
      let now = SystemClock.monotonic()
      var writer = JSONWriter()
      writer.append(.object(report(daemon, now).members + (connections(daemon, now)?.members ?? [])))
      writer.append("\n")
      return Answer("application/json", writer.bytes)
    case .readiness:
      let readiness = daemon.readiness()
      return readiness.isReady
        ? Answer(.ok, lines: ["ready"]) : Answer(.serviceUnavailable, lines: readiness.obstacles.map(\.text))
    }
  }

  /// Denied networks are clients' addresses too: without `show-peers` they are counted only.
  private func report(_ daemon: DaemonState, _ now: Int64) -> StatusReport {
    var report = daemon.report(now: now) { state.board($0) }
    if !showsPeers {
      report.omittedDenials += report.denials.count
      report.denials = []
    }
    return report
  }

  /// Nil where clients must not be shown.
  private func connections(_ daemon: DaemonState, _ now: Int64) -> ConnectionReport? {
    guard showsPeers else { return nil }
    return daemon.connections(atMost: Page.maxConnections, now: now) { state.board($0) }
  }

  /// Makes each answer once: what the run-time library sets up at first use is then there before the first fork, and not
  /// made anew in each connection process.
  private func warmUp() {
    var daemon = DaemonState()
    daemon.services = [ServiceState(name: "", state: .serving)]
    guard let daemon = DaemonState(decoding: daemon.encoded) else { return }
    for document in Document.allCases { _ = answer(document, daemon).bytes(hasBody: true, now: 0) }
    if let head = try? RequestHead(Array("GET / HTTP/1.1\r\nHost: [::1]:1\r\n\r\n".utf8)[...]) {
      _ = hosts.allows(head.authority)
    }
  }
}
