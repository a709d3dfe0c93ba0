@_spi(Begat) import UnixCore

/// Something that happens again and again, logged when it begins and, with a count, when it has ended.
struct Episode {
  /// An episode ends after so long without another occurrence.
  static let quiet: Duration = .seconds(5)

  private var count = 0
  private var began = Deadline.never
  private var last = Deadline.never

  /// Notes an occurrence.
  ///
  /// - Returns: whether an episode begins with it.
  mutating func note(_ now: Deadline) -> Bool {
    last = now
    count += 1
    guard count == 1 else { return false }
    began = now
    return true
  }

  /// Keeps the episode from ending, without another occurrence.
  mutating func goesOn(_ now: Deadline) { if count > 0 { last = now } }

  /// When to look whether it is over.
  var due: Deadline { count > 0 ? last.advanced(by: Episode.quiet) : .never }

  /// The number of occurrences and the time that they took; nil during an episode, and if there was none.
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
