import Histogram
@_spi(Begat) import UnixCore

/// How a connection ended.
enum LoadOutcome: Int, CaseIterable, Sendable {
  case ok
  case refused
  case reset
  /// The end came without a byte: what a server's refusal looks like after it has accepted.
  case empty
  /// The end came after fewer bytes than expected.
  case short
  /// The end came after more bytes than expected.
  case long
  /// The end came, and the expected text did not.
  case unexpected
  case timedOut
  case other

  init(failure: ErrorCode) {
    switch failure {
    case .connectionRefused: self = .refused
    case .connectionReset, .brokenPipe: self = .reset
    case .timedOut: self = .timedOut
    default: self = .other
    }
  }

  /// - Parameter expected: nil if any number of bytes is right except none.
  /// - Parameter isText: whether the expected text was among them.
  init(received: Int, expected: Int?, isText: Bool = true) {
    if received == 0, expected != 0 {
      self = .empty
    } else if let expected, received != expected {
      self = received < expected ? .short : .long
    } else {
      self = isText ? .ok : .unexpected
    }
  }

  /// The name in the report for people.
  var name: String {
    switch self {
    case .ok: "ok"
    case .refused: "refused"
    case .reset: "reset"
    case .empty: "empty"
    case .short: "short"
    case .long: "long"
    case .unexpected: "unexpected"
    case .timedOut: "timed out"
    case .other: "other errors"
    }
  }

  /// The name in the JSON report.
  var key: String {
    switch self {
    case .ok, .refused, .reset, .empty, .short, .long, .unexpected: name
    case .timedOut: "timed_out"
    case .other: "other_errors"
    }
  }
}

/// What a load run counts and measures.
struct LoadTally {
  private var counts = [Int](repeating: 0, count: LoadOutcome.allCases.count)
  private var histogram = Histogram<UInt64>(
    lowestDiscernibleValue: 1, highestTrackableValue: longestLatency, numberOfSignificantValueDigits: .three)
  /// Latencies that are not in the histogram yet.
  private var recent: [UInt32] = []
  private(set) var bytes = 0
  /// How often a full backlog or queue put off a connection.
  var backlogFull = 0
  /// Connections that were due and began later, because all slots were taken.
  var delayed = 0
  /// Connections that were due and never began, for the same reason.
  var unbegun = 0
  /// The first error that has no count of its own.
  private(set) var firstOtherError: ErrorCode?

  mutating func count(_ outcome: LoadOutcome, code: ErrorCode? = nil) {
    counts[outcome.rawValue] += 1
    if outcome == .other, firstOtherError == nil { firstOtherError = code }
  }

  mutating func add(bytes count: Int) { bytes += count }

  /// Latencies go into the histogram many at a time: between two connections its code and its tables would evict the
  /// server's data from the processor's caches.
  mutating func recordLatency(nanoseconds: Int64) {
    if recent.count == Self.recentCapacity {
      Self.record(recent, in: &histogram)
      recent.removeAll(keepingCapacity: true)
    }
    recent.append(UInt32(min(UInt64(max(0, nanoseconds)) / 1000, Self.longestLatency)))
  }

  /// From the time at which a connection began, or was due, to its end, in microseconds, of the connections that were ok.
  var latency: Histogram<UInt64> {
    var all = histogram
    Self.record(recent, in: &all)
    return all
  }

  private static func record(_ latencies: [UInt32], in histogram: inout Histogram<UInt64>) {
    for latency in latencies { histogram.record(UInt64(latency)) }
  }

  private static let recentCapacity = 4096
  private static let longestLatency: UInt64 = 3_600_000_000

  subscript(_ outcome: LoadOutcome) -> Int { counts[outcome.rawValue] }

  var total: Int { counts.reduce(0, +) }
  var failed: Int { total - self[.ok] }
  var hasFailures: Bool { failed > 0 || unbegun > 0 }
}
