@_spi(Begat) import UnixCore

/// How a survey speaks to hosts.  It never waits: its descriptor does that.
protocol SurveyMethod: AnyObject {
  /// Readable when `advance` has something to do.
  var descriptor: CInt { get }
  /// When it has something to do at the latest.
  var due: Deadline { get }
  /// Has a host asked at the first of its addresses that answers.
  func ask(_ host: Int, at addresses: [SocketAddress])
  /// Carries all of them on; the outcomes since the last call.
  func advance() throws(SystemCallError) -> [(host: Int, outcome: SurveyOutcome)]
  /// The deadline has passed: the outcomes that are known only now.
  func finish() throws(SystemCallError) -> [(host: Int, outcome: SurveyOutcome)]
}

/// When an answer is complete.
struct AnswerRule {
  /// A connection is closed after so many bytes; nil waits for the peer to end it.
  var enough: Int?
  /// How many bytes are kept.
  var longest: Int
}

/// What came of asking one host.
enum SurveyOutcome: Sendable {
  case answered(SurveyAnswer)
  /// Why there is no answer, in a few words.
  case failed(String)
}

struct SurveyAnswer: Sendable {
  enum Ending {
    case complete
    /// More came than is kept.
    case tooLong
    /// The peer had not ended it at the deadline.
    case unended
  }

  let bytes: UntrustedBytes
  let ending: Ending
  let address: SocketAddress
  /// From the question to the answer: of a connection, from when it was made, which is when the server is free to speak.
  let roundTrip: Duration
  /// When the answer came, as `SystemClock.wall` counts.
  let received: Int64
}

extension SurveyOutcome {
  static let notAsked = SurveyOutcome.failed("was not asked: too many hosts for the limit of open files")

  /// What failures of one host's addresses come to; each kind is said once.
  static func failed(_ failures: [SystemCallError]) -> SurveyOutcome {
    let words = failures.map { ($0.object, Self.words(for: $0)) }
    guard let first = words.first else { return .failed("no address") }
    if words.allSatisfy({ $0.1 == first.1 }) { return .failed(first.1) }
    return .failed(words.map { "\($0.0 ?? "?"): \($0.1)" }.joined(separator: "; "))
  }

  private static func words(for failure: SystemCallError) -> String {
    switch failure.code {
    case .connectionRefused: "refused"
    default: "\(failure.code)"
    }
  }
}
