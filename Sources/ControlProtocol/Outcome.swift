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

  /// One word for each kind of end, for programs that read the log: `client-closed`, `exited`.
  public var word: StaticString {
    switch self {
    case .complete: "complete"
    case .clientClosed: "client-closed"
    case .firstByteTimeout: "first-byte-timeout"
    case .idleTimeout: "idle-timeout"
    case .maxDuration: "max-duration"
    case .exited: "exited"
    case .failed: "failed"
    case .ended: "ended"
    case .stopped: "stopped"
    case .crashed: "crashed"
    }
  }

  /// All words, by the numbers of outcomes.
  public static let words: [String] = (0...UInt16.max).lazy.prefix { Outcome(outcome: $0, detail: 0) != nil }
    .compactMap { Outcome(outcome: $0, detail: 0).map { "\($0.word)" } }

  /// Its number: the place of its word in `words`.
  public var number: Int { Int(code.outcome) }

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

/// The cause of a connection's end.
public enum Ender: UInt8, Sendable, CaseIterable {
  /// The service itself: it had done its work, or failed.
  case service
  case client
  /// A time limit.
  case limit
  /// A listener that stops, for a drain, a reload or the end of begatd.
  case drain
  /// An order of `begat end`.
  case administrator
  /// A fault of the connection process.
  case crash
  /// A signal of another process.
  case signal
}

extension Ender {
  /// For programs that read the log.
  public var word: StaticString {
    switch self {
    case .service: "service"
    case .client: "client"
    case .limit: "limit"
    case .drain: "drain"
    case .administrator: "administrator"
    case .crash: "crash"
    case .signal: "signal"
    }
  }
}
