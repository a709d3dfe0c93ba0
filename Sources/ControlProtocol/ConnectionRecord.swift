import CSharedLayouts
@_spi(Begat) import UnixCore

/// How a connection ended.
public enum Outcome: Hashable, Sendable {
  /// The service had done its work.
  case complete
  /// The client went away before that.
  case clientClosed
  case firstByteTimeout
  case idleTimeout
  case maxDuration
  /// The executed program ended with another status than 0.
  case exited(status: UInt8)
  /// The service failed; the log has the reason.
  case failed
  /// The process was ended by another process's signal.
  case ended(by: Signal)
  /// The listener ended the process at the end of a stop.
  case stopped(by: Signal)
  /// The process crashed.
  case crashed(by: Signal)

  /// The exit statuses by which a connection process tells its listener.
  public static let completeStatus: CInt = 0
  public static let failedStatus: CInt = 1
  public static let clientClosedStatus: CInt = 3

  /// Whether an administrator should look at it.
  public var isProblem: Bool {
    switch self {
    case .complete, .clientClosed, .firstByteTimeout, .idleTimeout, .maxDuration, .stopped: false
    case .exited, .failed, .ended, .crashed: true
    }
  }

  var code: (outcome: UInt16, detail: UInt16) {
    switch self {
    case .complete: (0, 0)
    case .clientClosed: (1, 0)
    case .firstByteTimeout: (2, 0)
    case .idleTimeout: (3, 0)
    case .failed: (4, 0)
    case .ended(let signal): (5, UInt16(truncatingIfNeeded: signal.rawValue))
    case .crashed(let signal): (6, UInt16(truncatingIfNeeded: signal.rawValue))
    case .maxDuration: (7, 0)
    case .exited(let status): (8, UInt16(status))
    case .stopped(let signal): (9, UInt16(truncatingIfNeeded: signal.rawValue))
    }
  }

  init?(outcome: UInt16, detail: UInt16) {
    let signal = Signal(rawValue: CInt(detail))
    switch outcome {
    case 0: self = .complete
    case 1: self = .clientClosed
    case 2: self = .firstByteTimeout
    case 3: self = .idleTimeout
    case 4: self = .failed
    case 5: self = .ended(by: signal)
    case 6: self = .crashed(by: signal)
    case 7: self = .maxDuration
    case 8: self = .exited(status: UInt8(truncatingIfNeeded: detail))
    case 9: self = .stopped(by: signal)
    default: return nil
    }
  }
}

extension Outcome: CustomStringConvertible {
  public var description: String {
    switch self {
    case .complete: "complete"
    case .clientClosed: "client closed"
    case .firstByteTimeout: "first-byte-timeout"
    case .idleTimeout: "idle-timeout"
    case .maxDuration: "max-duration"
    case .exited(let status): "exit status \(status)"
    case .failed: "service failed"
    case .ended(let signal): "ended by \(signal)"
    case .stopped(let signal): "ended by \(signal) at the stop"
    case .crashed(let signal): "crashed, \(signal)"
    }
  }
}

/// One connection that has ended: who, how long, how much, and how it ended.
public struct ConnectionRecord: Hashable, Sendable {
  public var process: Int32
  /// Nil where the peer could not be told.
  public var peer: SocketAddress?
  /// The user at the other end of a Unix socket.
  public var user: UInt32?
  public var duration: Duration
  /// Bytes; nil where a program had the connection to itself.
  public var received: UInt64?
  public var sent: UInt64?
  public var outcome: Outcome

  /// In a record of fixed size: not known.
  public static let unknownCount = UInt64.max

  public init(
    process: Int32, peer: SocketAddress?, user: UInt32? = nil, duration: Duration, received: UInt64?, sent: UInt64?,
    outcome: Outcome
  ) {
    self.process = process
    self.peer = peer
    self.user = user
    self.duration = duration
    self.received = received
    self.sent = sent
    self.outcome = outcome
  }
}

extension ConnectionRecord: CustomStringConvertible {
  /// The log line: `pid 4711 for 192.0.2.7:51312: 3 ms, received 0, sent 26 bytes, complete`.
  public var description: String {
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
      var text = ByteWriter(room)
      write(to: &text)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  public var peerText: String { peer?.description ?? "unknown" }

  /// Appends what `description` says, without allocating for most records: there may be thousands a second.
  package func write(to text: inout ByteWriter) {
    text.append("pid ")
    text.append(decimal: UInt64(process.magnitude))
    text.append(" for ")
    if let user {
      text.append("uid ")
      text.append(decimal: user)
      text.append(" at ")
    }
    if let peer { peer.write(to: &text) } else { text.append("unknown") }
    text.append(": ")
    writeDuration(to: &text)
    if let received, let sent {
      text.append(", received ")
      text.append(decimal: received)
      text.append(", sent ")
      text.append(decimal: sent)
      text.append(" bytes")
    }
    text.append(", ")
    if outcome == .complete { text.append("complete") } else { text.append(outcome.description) }
  }

  private func writeDuration(to text: inout ByteWriter) {
    let (seconds, attoseconds) = duration.components
    let milliseconds = UInt64(max(0, seconds)) * 1000 + UInt64(max(0, attoseconds)) / 1_000_000_000_000_000
    text.append(decimal: milliseconds < 10_000 ? milliseconds : milliseconds / 1000)
    text.append(milliseconds < 10_000 ? " ms" as StaticString : " s")
  }
}

extension ConnectionRecord {
  init?(_ native: begat_record) {
    guard let outcome = Outcome(outcome: native.outcome, detail: native.detail) else { return nil }
    self.init(
      process: native.pid, peer: PeerFields(native).address, user: native.family == PeerFields.unix ? native.uid : nil,
      duration: .nanoseconds(native.duration), received: ConnectionRecord.count(native.bytes_received),
      sent: ConnectionRecord.count(native.bytes_sent),
      outcome: outcome)
  }

  private static func count(_ native: UInt64) -> UInt64? { native == unknownCount ? nil : native }
}
