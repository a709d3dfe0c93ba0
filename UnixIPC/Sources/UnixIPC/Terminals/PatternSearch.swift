import Glibc
@_spi(Begat) import UnixCore

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
  /// - Throws: what the regex throws; `SystemCallError` with `ETIMEDOUT` at the deadline, `ECANCELED` when cancelled.
  static func firstMatch(
    of regex: Regex<AnyRegexOutput>, in text: String, until deadline: Deadline, cancelledBy cancellation: CInt
  ) throws -> Match? {
    let deadline = min(deadline, .current)
    guard deadline != .never || cancellation != -1 else { return try regex.firstMatch(in: text) }
    let ends = try PipeEnds()
    let search = PatternSearch(regex, text, ends.writeEnd)
    let thread = try search.start()
    do throws(SystemCallError) {
      try awaitEnd(of: ends.readEnd, until: max(deadline, Deadline(after: least)), cancelledBy: cancellation)
    } catch {
      pthread_detach(thread)
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
  }

  private static func awaitEnd(
    of end: borrowing Descriptor, until deadline: Deadline, cancelledBy cancellation: CInt
  ) throws(SystemCallError) {
    var queries = [
      pollfd(fd: end.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let count = poll(&queries, 2, deadline.milliseconds)
      let error = ErrorCode.current
      if count > 0 {
        if queries[0].revents != 0 { return }
        throw SystemCallError("match", on: "a regex", code: .canceled)
      }
      if count == -1, error != .interrupted { throw SystemCallError("poll", code: error) }
      if deadline.isExpired { throw SystemCallError("match", on: "a regex", code: .timedOut) }
    }
  }
}
