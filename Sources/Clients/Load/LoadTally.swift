import Histogram
import UnixIPC

/// How a connection ended.
enum LoadOutcome: Int, CaseIterable, Sendable {
  case ok
  case refused
  case reset
  /// The end came without a byte, and bytes were expected.
  case empty
  /// The end came after another number of bytes than expected.
  case wrongLength
  case timedOut
  case other

  init(failure: Errno) {
    switch failure {
    case .connectionRefused: self = .refused
    case .connectionReset, .brokenPipe: self = .reset
    case .timedOut: self = .timedOut
    default: self = .other
    }
  }

  init(received: Int, expected: Int?) {
    switch expected {
    case nil, received: self = .ok
    default: self = received == 0 ? .empty : .wrongLength
    }
  }

  /// As people read it.
  var name: String {
    switch self {
    case .ok: "ok"
    case .refused: "refused"
    case .reset: "reset"
    case .empty: "empty"
    case .wrongLength: "wrong length"
    case .timedOut: "timed out"
    case .other: "other errors"
    }
  }

  /// As programs read it.
  var key: String {
    switch self {
    case .ok, .refused, .reset, .empty: name
    case .wrongLength: "wrong_length"
    case .timedOut: "timed_out"
    case .other: "other_errors"
    }
  }
}

/// What a load run counts and measures.
struct LoadTally {
  private var counts = [Int](repeating: 0, count: LoadOutcome.allCases.count)
  /// From the start of connect(2) to the end of file, in microseconds, of the connections that were ok.
  private(set) var latency = Histogram<UInt64>(
    lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
  private(set) var bytes = 0
  /// Connections that a full backlog of a Unix socket put off.
  var backlogFull = 0
  /// The first error that has no count of its own.
  private(set) var firstOtherError: Errno?

  mutating func count(_ outcome: LoadOutcome, errno: Errno? = nil) {
    counts[outcome.rawValue] += 1
    if outcome == .other, firstOtherError == nil { firstOtherError = errno }
  }

  mutating func add(bytes count: Int) { bytes += count }

  mutating func recordLatency(nanoseconds: Int64) {
    latency.record(min(UInt64(max(0, nanoseconds)) / 1000, 3_600_000_000))
  }

  subscript(_ outcome: LoadOutcome) -> Int { counts[outcome.rawValue] }

  var total: Int { counts.reduce(0, +) }
  var hasFailures: Bool { total != self[.ok] }
}
