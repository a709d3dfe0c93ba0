/// Something that happens again and again: worth a line when it begins, and one with a count when it is over.
struct Episode {
  /// After so long without another time it is over; nanoseconds.
  static let quiet: Int64 = 5_000_000_000

  private var count = 0
  private var began: Int64 = 0
  private var last: Int64 = 0

  /// Whether this is how it begins.
  mutating func note(_ now: Int64) -> Bool {
    last = now
    count += 1
    guard count == 1 else { return false }
    began = now
    return true
  }

  /// It has not ended in between.
  mutating func goesOn(_ now: Int64) { if count > 0 { last = now } }

  /// When to look whether it is over, CLOCK_MONOTONIC nanoseconds.
  var due: Int64 { count > 0 ? last + Episode.quiet : .max }

  /// How often it happened and how long it went on; nil while it does, and where nothing was.
  mutating func endIfQuiet(_ now: Int64) -> (count: Int, duration: Int64)? {
    guard count > 0, now >= due else { return nil }
    defer { count = 0 }
    return (count, last - began)
  }
}
