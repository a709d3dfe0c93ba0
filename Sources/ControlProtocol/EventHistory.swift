import CSharedLayouts

/// Counts of events by time: the last places of a scale whose places have absolute numbers, so that histories of several
/// listeners can be added.
public struct EventHistory: Hashable, Sendable {
  /// How many places of 10 s a scoreboard keeps.
  public static let length = Int(BEGAT_HISTORY_PLACES)
  /// The nanoseconds of such a place.
  public static let placeTime: Int64 = 10_000_000_000

  /// The number of the newest place.
  package var newest: Int64
  /// By the remainder of their numbers.
  package var counts: [UInt32]

  /// One without events.
  public init(length: Int = EventHistory.length) {
    newest = 0
    counts = Array(repeating: 0, count: length)
  }

  /// Copies a ring that another process may be writing to.
  ///
  /// A place that begins after `newest` was read is not seen; the oldest one is 0 then.
  init(newest: Int64, counts: UnsafePointer<UInt32>, length: Int = EventHistory.length) {
    self.newest = max(0, newest)
    self.counts = Array(UnsafeBufferPointer(start: counts, count: length))
  }

  /// The count of a place by its number; 0 for one that is too old or to come.
  public subscript(place: Int64) -> UInt32 {
    guard place >= 0, place <= newest, newest - place < Int64(counts.count) else { return 0 }
    return counts[Int(place % Int64(counts.count))]
  }

  /// The counts of the places up to this one, the oldest first.
  public func counts(upTo place: Int64) -> [UInt32] {
    (0..<Int64(counts.count)).map { self[place - Int64(counts.count) + 1 + $0] }
  }

  /// Adds the events of another history of the same length.
  public mutating func add(_ other: EventHistory) {
    let last = max(newest, other.newest)
    let length = Int64(counts.count)
    var sums = Array(repeating: UInt32(0), count: counts.count)
    for place in max(0, last - length + 1)...last { sums[Int(place % length)] = self[place] &+ other[place] }
    newest = last
    counts = sums
  }
}
