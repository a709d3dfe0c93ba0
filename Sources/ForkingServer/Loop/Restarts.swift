/// When the next program may be started at a socket whose program has ended.
///
/// Only a program that is proven to have taken no client is slowed down: its client would have it started without end.
/// Where nothing is proven, the rate limit for starts suffices, and no client can slow down a sound program.
struct Restarts {
  /// What a pause is worth a line for.
  enum News {
    /// The program has failed, and the pause has grown.
    case failing
    /// Program after program has left its client where it was.
    case looping
  }

  static let mostOfStreams = 20
  /// Parts of one sendmsg(2) with UDP_SEGMENT, at most 128, may share a time stamp, so that they look like one datagram.
  static let mostOfDatagrams = 150

  private static let healthyAge: Int64 = 1_000_000_000
  private static let shortestDelay: Int64 = 100_000_000
  private static let longestDelay: Int64 = 10_000_000_000

  /// After so many starts in vain, one after the other, it is no accident.
  let startsInVain: Int
  private var vainStarts = 0
  private var delay: Int64 = 0
  /// Said once, until a program takes a client.
  private var isLoopSaid = false
  /// Whether equal datagrams are worth an exact look.
  private(set) var isSuspicious = false

  init(startsInVain: Int) { self.startsInVain = startsInVain }

  /// How long to wait after a program has ended, in nanoseconds, and what to log.
  mutating func pause(
    after verdict: WaitingClients.Verdict, isSuccess: Bool, age: Int64
  ) -> (delay: Int64, news: News?) {
    isSuspicious = verdict != .someTaken
    guard verdict == .noneTaken else {
      vainStarts = 0
      delay = 0
      if verdict == .someTaken { isLoopSaid = false }
      return (0, nil)
    }
    vainStarts = min(vainStarts + 1, startsInVain)
    let isLooping = vainStarts == startsInVain
    let hasFailed = !isSuccess && age < Restarts.healthyAge
    let former = delay
    if isLooping {
      grow(to: Restarts.longestDelay)
    } else if hasFailed {
      // A failed datagram program may owe its verdict to a shared time stamp.
      grow(to: startsInVain == Restarts.mostOfStreams ? Restarts.longestDelay : Restarts.shortestDelay)
    } else {
      delay = 0
    }
    if isLooping, !isLoopSaid {
      isLoopSaid = true
      return (delay, .looping)
    }
    return (delay, hasFailed && delay > former && !isLoopSaid ? .failing : nil)
  }

  /// How long to wait after a program could not be started, in nanoseconds.
  mutating func delayAfterFailedStart() -> Int64 {
    grow(to: Restarts.longestDelay)
    return delay
  }

  private mutating func grow(to longest: Int64) { delay = min(max(2 * delay, Restarts.shortestDelay), longest) }
}
