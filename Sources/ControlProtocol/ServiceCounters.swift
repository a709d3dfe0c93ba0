import CSharedLayouts

/// The counts of all listeners of a service since begatd started: sums over its generations never fall.
public struct ServiceCounters: Hashable, Sendable {
  public var accepted: UInt64 = 0
  public var ended: UInt64 = 0
  /// Records of ended connections, logged or not.
  public var records: UInt64 = 0
  /// Records of connections that were not logged.
  public var recordsDropped: UInt64 = 0
  /// Ended connections that log-rate leaves without a record, and that no line has summed up yet.
  public var unsummed: UInt64 = 0
  public var datagramsAnswered: UInt64 = 0
  /// Datagrams from ports and addresses that are never answered.
  public var datagramsIgnored: UInt64 = 0
  /// Refused connections, by the values of `Refusal`.
  public var refused: [UInt64] = []
  /// Refused datagrams, by the values of `Refusal`.
  public var datagramsRefused: [UInt64] = []
  /// Connections that were ended so that no more than four generations of the service live.
  public var endedByReload: UInt64 = 0
  /// Ended connections, by the codes of `Outcome`.
  public var outcomes: [UInt64] = []
  /// Ended connections, by the buckets of `DurationHistogram`.
  public var durations: [UInt64] = []
  /// Nanoseconds of all ended connections together.
  public var durationSum: UInt64 = 0
  /// Bytes of ended connections, as far as they are known.
  public var bytesReceived: UInt64 = 0
  public var bytesSent: UInt64 = 0
  /// Accepted and refused connections by 10 s.
  public var acceptedHistory = EventHistory()
  public var refusedHistory = EventHistory()
  /// Accepted connections of the last two seconds.
  public var acceptedSeconds = EventHistory(length: 2)

  public init() {}

  /// Adds the counts of another generation.
  public mutating func add(_ other: ServiceCounters) {
    accepted &+= other.accepted
    ended &+= other.ended
    records &+= other.records
    recordsDropped &+= other.recordsDropped
    unsummed &+= other.unsummed
    datagramsAnswered &+= other.datagramsAnswered
    datagramsIgnored &+= other.datagramsIgnored
    ServiceCounters.add(other.refused, to: &refused)
    ServiceCounters.add(other.datagramsRefused, to: &datagramsRefused)
    endedByReload &+= other.endedByReload
    ServiceCounters.add(other.outcomes, to: &outcomes)
    ServiceCounters.add(other.durations, to: &durations)
    durationSum &+= other.durationSum
    bytesReceived &+= other.bytesReceived
    bytesSent &+= other.bytesSent
    acceptedHistory.add(other.acceptedHistory)
    refusedHistory.add(other.refusedHistory)
    acceptedSeconds.add(other.acceptedSeconds)
  }

  private static func add(_ counts: [UInt64], to sums: inout [UInt64]) {
    for (kind, count) in counts.enumerated() {
      if kind < sums.count { sums[kind] &+= count } else { sums.append(count) }
    }
  }

  /// Settles the account of a listener that has ended.  Connections that it could not reap ended with it, by a signal; and
  /// records that it has gathered and nothing has received are lost, and so are connections that it has not summed up.
  ///
  /// - Parameter open: how long, in nanoseconds, each connection has lasted that was open at the listener's end.
  /// - Returns: how many connections ended with it, and how many others are missing in the log.
  public mutating func settle(
    recordsReceived: UInt64, open: [Int64] = []
  ) -> (connections: UInt64, records: UInt64) {
    // The listener's words are not trusted: it cannot have had more clients than places.
    let connections = min(UInt64(open.count), accepted > ended ? accepted - ended : 0)
    ended &+= connections
    let code = Int(Outcome.ended(by: .kill).code.outcome)
    if connections > 0, outcomes.indices.contains(code) { outcomes[code] &+= connections }
    for duration in open.prefix(Int(connections)) { count(duration: max(0, duration)) }
    let delivered = recordsDropped.addingReportingOverflow(recordsReceived)
    var lost = delivered.overflow || delivered.partialValue >= records ? 0 : records - delivered.partialValue
    lost &+= min(unsummed, ended)
    unsummed = 0
    recordsDropped &+= lost
    return (connections, lost)
  }

  private mutating func count(duration: Int64) {
    let bucket = (0..<UInt32(BEGAT_DURATION_BOUNDS)).first { duration <= begat_duration_bound($0) }
    let index = Int(bucket ?? UInt32(BEGAT_DURATION_BOUNDS))
    if durations.indices.contains(index) { durations[index] &+= 1 }
    durationSum &+= UInt64(duration)
  }
}
