import Configuration
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// begatd's attempts to start under a service manager that starts it again when it exits, however often.
///
/// The first failure exits immediately, so that `systemctl start` reports it.  After that begatd waits in the process: it
/// reads the configuration again at growing intervals and when a file changes, and exits once a minute, because each exit
/// adds several lines of the manager to the journal.
struct StartAttempts {
  /// The reaction to a failure.
  enum Next: Hashable {
    /// It exits; the manager starts it again.
    case exit
    /// It tries again.
    case retry
    /// It was told to stop while it waited.
    case stop
  }

  /// Why a wait is over.
  enum WaitEnd: Hashable {
    case time
    /// A file of the configuration was changed, or SIGHUP asks for another attempt.
    case change
    case stop
  }

  /// The effects of an attempt, replaceable in tests.
  struct Surroundings {
    var file = StartFailureFile.usual
    /// Writes an error to standard error.
    var say: (String) -> Void = { StandardErrorMessage.write($0, of: "begatd") }
    /// Sends the manager a message, then waits until the limit or a change of the files.
    var wait: (String, Duration, ConfigurationVersion) -> WaitEnd
  }

  private let surroundings: Surroundings
  private var failures: StartFailures

  /// Nil if no service manager has started begatd.
  init?(configurationFile: String?) {
    guard NotifySocket() != nil else { return nil }
    self.init(
      Surroundings { message, limit, version in
        StartAttempts.wait(message, limit, for: version, of: configurationFile)
      })
  }

  init(_ surroundings: Surroundings) {
    self.surroundings = surroundings
    failures = surroundings.file.read()
  }

  /// Counts a failed attempt, says why it has failed, and waits.
  ///
  /// - Parameter lines: the reasons.
  /// - Parameter isLogged: whether they are in the log already.
  /// - Parameter isRepeatable: whether another attempt can be made in this process.
  /// - Parameter version: the files of the configuration as they were before the attempt.
  mutating func failed(
    _ lines: [String], isLogged: Bool = false, isRepeatable: Bool, _ version: ConfigurationVersion
  ) -> Next {
    let isNews = failures.add(lines)
    // Where the next start cannot know of this failure, each one counts as one of many.
    let delay = surroundings.file.write(failures) ? failures.delay : StartFailures.maxDelay
    if isNews, !isLogged { for line in lines { surroundings.say(line) } }
    guard delay > .zero else { return .exit }
    let summary = Self.summary(of: lines)
    let time = DurationText.render(delay)
    let message =
      "STATUS=does not start: \(summary); tried again in \(time) and when a file of the configuration is changed\n"
      + "EXTEND_TIMEOUT_USEC=\((delay + Self.grace).nanoseconds / 1000)"
    switch surroundings.wait(message, delay, version) {
    case .stop:
      forget()
      return .stop
    case .change: return isRepeatable ? .retry : .exit
    case .time:
      if isRepeatable, delay < StartFailures.maxDelay { return .retry }
      if !isNews, !isLogged { surroundings.say("\(summary) (start \(failures.count) in a row that fails)") }
      return .exit
    }
  }

  /// Forgets the failures: begatd serves, or it is told to stop, so that the next start is another person's wish.
  func forget() { surroundings.file.remove() }

  /// For how long the manager is to wait beyond a delay: a start may read much.
  private static let grace = Duration.seconds(30)
  private static let maxSummary = 300

  /// The first of several lines, cut if it is long.
  static func summary(of lines: [String]) -> String {
    let first = lines.first ?? ""
    let text = first.count > maxSummary ? "\(first.prefix(maxSummary))..." : first
    return lines.count > 1 ? "\(text), and \(counted(lines.count - 1, "more problem", "more problems"))" : text
  }

  // MARK: Waiting

  /// How often the files are looked at.
  private static let interval = Duration.seconds(1)

  private static func wait(
    _ message: String, _ limit: Duration, for version: ConfigurationVersion, of file: String?
  ) -> WaitEnd {
    let signals = SignalSet(.terminate, .interrupt, .quit, .hangUp)
    // From now on they wait until they are taken, here or by the loop of a begatd that serves.
    signals.block()
    if var socket = NotifySocket() { try? socket.send(message) }
    let deadline = Deadline(after: limit)
    repeat {
      guard let arrival = signals.wait(until: min(deadline, Deadline(after: interval))) else { continue }
      return arrival.signal == .hangUp ? .change : .stop
    } while ConfigurationVersion(file: file) == version && !deadline.hasPassed
    return deadline.hasPassed ? .time : .change
  }
}
