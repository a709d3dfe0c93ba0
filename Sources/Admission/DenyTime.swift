@_spi(Begat) import UnixCore

/// How long a source waits after abuse: immediately after a crash of its connection's process, and after some refusals.
public struct DenyTime: Hashable, Sendable {
  /// How many refusals may count at most.
  public static let maxRefusals = 10_000

  /// How long a denied source waits.
  public let duration: Duration
  /// After how many refusals within `duration` a source is denied; nil if only crashes count.
  public let refusals: Int?

  /// - Parameter duration: above zero.
  /// - Parameter refusals: 1 to `maxRefusals`.
  public init(_ duration: Duration, after refusals: Int? = nil) {
    self.duration = duration
    self.refusals = refusals
  }

  /// The bucket from which each refusal takes a token; nil if refusals do not count.
  var patience: TokenBucket? {
    refusals.map { TokenBucket(RateLimit(count: $0, interval: duration, burst: $0)) }
  }
}
