/// When the next program may be started at a socket whose program has ended.
///
/// Only a program that is proven to have taken no client is slowed down: its client would have it started forever.
/// Where nothing is proven, the rate limit for starts suffices, and no client can slow down a working program.
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

  private static let healthyAge: Duration = .seconds(1)
  private static let shortestDelay: Duration = .milliseconds(100)
  private static let longestDelay: Duration = .seconds(10)

  /// After so many starts in vain, one after the other, it is no accident.
  let startsInVain: Int
  private var vainStarts = 0
  private var delay = Duration.zero
  /// Said once, until a program takes a client.
  private var isLoopSaid = false
  /// Whether equal datagrams are worth an exact look.
  private(set) var isSuspicious = false

  /// Whether no program takes the client that waits.
  var isLooping: Bool { vainStarts == startsInVain }

  init(startsInVain: Int) { self.startsInVain = startsInVain }

  /// How long to wait after a program has ended, and what to log.
  mutating func pause(
    after verdict: WaitingClients.Verdict, isSuccess: Bool, age: Duration
  ) -> (delay: Duration, news: News?) {
    isSuspicious = verdict != .someTaken
    guard verdict == .noneTaken else {
      vainStarts = 0
      delay = .zero
      if verdict == .someTaken { isLoopSaid = false }
      return (.zero, nil)
    }
    vainStarts = min(vainStarts + 1, startsInVain)
    let hasFailed = !isSuccess && age < Restarts.healthyAge
    let former = delay
    if isLooping {
      grow(to: Restarts.longestDelay)
    } else if hasFailed {
      // A failed datagram program may owe its verdict to a shared time stamp.
      grow(to: startsInVain == Restarts.mostOfStreams ? Restarts.longestDelay : Restarts.shortestDelay)
    } else {
      delay = .zero
    }
    if isLooping, !isLoopSaid {
      isLoopSaid = true
      return (delay, .looping)
    }
    return (delay, hasFailed && delay > former && !isLoopSaid ? .failing : nil)
  }

  /// How long to wait after a program could not be started.
  mutating func delayAfterFailedStart() -> Duration {
    grow(to: Restarts.longestDelay)
    return delay
  }

  private mutating func grow(to longest: Duration) { delay = min(max(delay * 2, Restarts.shortestDelay), longest) }
}
