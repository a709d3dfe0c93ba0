import Glibc
import Synchronization
@_spi(Begat) import UnixCore

/// A search by a regex that is given up at a deadline: one that backtracks may take years, and cannot be stopped.
///
/// It has a thread of its own.  A search that is given up leaves its thread behind, busy until it is done.
final class PatternSearch: @unchecked Sendable {
  typealias Match = Regex<AnyRegexOutput>.Match

  private let regex: Regex<AnyRegexOutput>
  private let text: String
  // Written by the thread before it closes the pipe, and read here after that.
  private var outcome = Result<Match?, any Error>.success(nil)
  /// How many searches of the process were given up and are still busy.
  private static let abandoned = Atomic(0)
  /// As many may be busy at a time: each takes a processor.
  static let maxAbandoned = 4
  private let isDone = Atomic(false)
  private var writing: Descriptor?

  private init(_ regex: Regex<AnyRegexOutput>, _ text: String, _ writing: consuming Descriptor?) {
    self.regex = regex
    self.text = text
    self.writing = consume writing
  }

  /// A search has this long even if the deadline of its call is earlier: nearly all need only microseconds.  A deadline of
  /// `withDeadline` ends it exactly then.
  private static let minimum = Duration.seconds(1)

  /// - Parameter cancellation: readable when the wait is cancelled; -1 for none.
  /// - Throws: what the regex throws; `SystemCallError` with `ETIMEDOUT` at the deadline, `ECANCELED` when cancelled,
  ///   `EAGAIN` while too many abandoned searches are busy.
  static func firstMatch(
    of regex: Regex<AnyRegexOutput>, in text: String, until deadline: Deadline, cancelledBy cancellation: CInt
  ) throws -> Match? {
    let deadline = min(deadline, .current)
    guard deadline != .never || cancellation != -1 else { return try regex.firstMatch(in: text) }
    guard abandoned.load(ordering: .relaxed) < maxAbandoned else {
      throw SystemCallError("match", on: "a regex, while others that were given up are still busy", code: .wouldBlock)
    }
    let ends = try PipeEnds()
    let search = PatternSearch(regex, text, ends.writeEnd)
    let thread = try search.start()
    do throws(SystemCallError) {
      try awaitEnd(of: ends.readEnd, until: max(deadline, Deadline(after: minimum)), cancelledBy: cancellation)
    } catch {
      pthread_detach(thread)
      search.abandon()
      throw error
    }
    pthread_join(thread, nil)
    return try search.outcome.get()
  }

  private func start() throws(SystemCallError) -> pthread_t {
    var thread = pthread_t()
    let itself = Unmanaged.passRetained(self)
    // Signals are the other threads' own.
    let code = SignalSet.all.withBlocked {
      pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<PatternSearch>.fromOpaque(argument).takeRetainedValue().run() }
          return nil
        }, itself.toOpaque())
    }
    guard code == 0 else {
      itself.release()
      throw SystemCallError("pthread_create", code: ErrorCode(rawValue: code))
    }
    return thread
  }

  private func run() {
    outcome = Result { try regex.firstMatch(in: text) }
    writing = nil
    // The second of both takes the search off the count.
    if isDone.exchange(true, ordering: .acquiringAndReleasing) { Self.abandoned.subtract(1, ordering: .relaxed) }
  }

  private func abandon() {
    Self.abandoned.add(1, ordering: .relaxed)
    if isDone.exchange(true, ordering: .acquiringAndReleasing) { Self.abandoned.subtract(1, ordering: .relaxed) }
  }

  private static func awaitEnd(
    of end: borrowing Descriptor, until deadline: Deadline, cancelledBy cancellation: CInt
  ) throws(SystemCallError) {
    var set = PollSet()
    set.add(end.number, .readable)
    set.add(cancellation, .readable)
    let isInTime: Bool
    do throws(SystemCallError) { isInTime = try set.wait(until: deadline) } catch {
      throw SystemCallError("poll", code: error.code)
    }
    guard isInTime else { throw SystemCallError("match", on: "a regex", code: .timedOut) }
    if set[0].isEmpty { throw SystemCallError("match", on: "a regex", code: .canceled) }
  }
}
