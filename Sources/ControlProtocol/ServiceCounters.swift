/// The counts of all listeners of a service since begatd started: sums over its generations never fall.
public struct ServiceCounters: Hashable, Sendable {
  public var accepted: UInt64 = 0
  public var ended: UInt64 = 0
  /// Records of connections that were not logged.
  public var recordsDropped: UInt64 = 0
  public var datagramsAnswered: UInt64 = 0
  /// Datagrams from ports and addresses that are never answered.
  public var datagramsIgnored: UInt64 = 0
  /// Refused connections, by the values of `Refusal`.
  public var refused: [UInt64] = []
  /// Refused datagrams, by the values of `Refusal`.
  public var datagramsRefused: [UInt64] = []
  /// Connections that were ended so that no more than four generations of the service live.
  public var endedByReload: UInt64 = 0

  public init() {}

  /// Adds the counts of another generation.
  public mutating func add(_ other: ServiceCounters) {
    accepted &+= other.accepted
    ended &+= other.ended
    recordsDropped &+= other.recordsDropped
    datagramsAnswered &+= other.datagramsAnswered
    datagramsIgnored &+= other.datagramsIgnored
    ServiceCounters.add(other.refused, to: &refused)
    ServiceCounters.add(other.datagramsRefused, to: &datagramsRefused)
    endedByReload &+= other.endedByReload
  }

  private static func add(_ counts: [UInt64], to sums: inout [UInt64]) {
    for (kind, count) in counts.enumerated() {
      if kind < sums.count { sums[kind] &+= count } else { sums.append(count) }
    }
  }
}
