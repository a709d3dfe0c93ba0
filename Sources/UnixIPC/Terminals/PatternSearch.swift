import Glibc

/// A regex's search, with an end: one that backtracks may take longer than anybody lives, and cannot be stopped.
///
/// It has a thread of its own.  Whoever gives it up leaves that behind, busy until it has found or the process ends.
final class PatternSearch: @unchecked Sendable {
  typealias Match = Regex<AnyRegexOutput>.Match

  private let regex: Regex<AnyRegexOutput>
  private let text: String
  // Written by the thread before it closes the pipe, and read here after that.
  private var outcome = Result<Match?, any Error>.success(nil)
  private var writing: Descriptor?

  private init(_ regex: Regex<AnyRegexOutput>, _ text: String, _ writing: consuming Descriptor?) {
    self.regex = regex
    self.text = text
    self.writing = consume writing
  }

  /// Also past the deadline a search has this long: nearly all need no more than microseconds.
  private static let least = Duration.seconds(1)

  /// - Parameter cancellation: readable when nobody wants to wait any more; -1 for none.
  /// - Throws: what the regex throws; `CallFailure` with `ETIMEDOUT` at the deadline, `ECANCELED` when cancelled.
  static func firstMatch(
    of regex: Regex<AnyRegexOutput>, in text: String, until deadline: Deadline, cancelledBy cancellation: CInt
  ) throws -> Match? {
    let deadline = min(deadline, .ofThread)
    guard deadline != .never || cancellation != -1 else { return try regex.firstMatch(in: text) }
    let ends = try Pipe.open()
    let search = PatternSearch(regex, text, ends.writing)
    let thread = try search.start()
    do throws(CallFailure) {
      try awaitEnd(of: ends.reading, until: max(deadline, Deadline(after: least)), cancelledBy: cancellation)
    } catch {
      pthread_detach(thread)
      throw error
    }
    pthread_join(thread, nil)
    return try search.outcome.get()
  }

  private func start() throws(CallFailure) -> pthread_t {
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
      throw CallFailure("pthread_create", errno: Errno(rawValue: code))
    }
    return thread
  }

  private func run() {
    outcome = Result { try regex.firstMatch(in: text) }
    writing = nil
  }

  private static func awaitEnd(
    of end: borrowing Descriptor, until deadline: Deadline, cancelledBy cancellation: CInt
  ) throws(CallFailure) {
    var set = PollSet()
    set.add(end.number, .readable)
    set.add(cancellation, .readable)
    let isInTime: Bool
    do throws(Errno) { isInTime = try set.wait(until: deadline) } catch { throw CallFailure("poll", errno: error) }
    guard isInTime else { throw CallFailure("match", on: "a regex", errno: .timedOut) }
    if set[0].isEmpty { throw CallFailure("match", on: "a regex", errno: .canceled) }
  }
}
