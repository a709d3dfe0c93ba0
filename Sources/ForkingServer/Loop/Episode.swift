import UnixIPC

/// Something that happens again and again: worth a line when it begins, and one with a count when it is over.
struct Episode {
  /// After so long without another time it is over.
  static let quiet: Duration = .seconds(5)

  private var count = 0
  private var began = Deadline.never
  private var last = Deadline.never

  /// Whether this is how it begins.
  mutating func note(_ now: Deadline) -> Bool {
    last = now
    count += 1
    guard count == 1 else { return false }
    began = now
    return true
  }

  /// It has not ended in between.
  mutating func goesOn(_ now: Deadline) { if count > 0 { last = now } }

  /// When to look whether it is over.
  var due: Deadline { count > 0 ? last.advanced(by: Episode.quiet) : .never }

  /// How often it happened and how long it went on; nil while it does, and where nothing was.
  mutating func endIfQuiet(_ now: Deadline) -> (count: Int, duration: Duration)? {
    guard count > 0, now >= due else { return nil }
    defer { count = 0 }
    return (count, began.duration(to: last))
  }
}

extension Duration {
  /// Rounded up to whole seconds, for people.
  var inSeconds: Duration { .seconds((nanoseconds + 999_999_999) / 1_000_000_000) }
}
