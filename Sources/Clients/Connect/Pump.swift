import Glibc
@_spi(Begat) import UnixCore

/// Carries bytes between a connection and a pair of an input and an output, both directions at once.
///
/// The end of the input is passed on by shutdown(2), and receiving goes on; the peer's end is passed on by closing the
/// output, and sending goes on.  A peer that has gone altogether looks the same as one that only says no more, so that
/// sending then ends as soon as the input has been silent for a while.  SIGPIPE must be ignored.
///
/// Source: poll(2), shutdown(2).
struct Pump: ~Copyable {
  enum Side: Sendable {
    case input, output, connection
  }

  /// What a side answered to reading or writing.
  struct Failure: Error {
    let side: Side
    let code: ErrorCode
  }

  private let connection: Descriptor
  private let connectionAsSink: NonBlockingOutput
  /// nil once it has ended.
  private var input: Descriptor?
  private var output: NonBlockingOutput?
  private var sending: Passage
  private var receiving: Passage
  private var sendFailure: ErrorCode?
  private let patience: Duration?

  /// - Parameter input: nil where nothing is sent, nor its end passed on.
  /// - Parameter patience: how long the input may be silent after the peer's end; nil waits for its end.
  init(
    input: consuming Descriptor?, output: consuming NonBlockingOutput, connection: consuming Descriptor,
    changesLineEnds: Bool = false, patience: Duration? = .zero
  ) throws(SystemCallError) {
    try connection.setNonBlocking(true)
    connectionAsSink = NonBlockingOutput(try connection.duplicate())
    receiving = Passage(from: connection, to: output)
    switch input {
    case .some(let source):
      sending = Passage(from: source, to: connectionAsSink, changesLineEnds: changesLineEnds)
    case .none:
      sending = Passage(from: connection, to: connectionAsSink)
      sending.abandon()
    }
    self.input = consume input
    self.connection = connection
    self.output = consume output
    self.patience = patience
  }

  /// Runs until both directions have ended, or no reader is left for the rest of the input.
  mutating func run() throws(Failure) {
    while sending.state != .hasEnded || receiving.state != .hasEnded {
      if awaitsInputOnly, patience == .zero { break }
      let ready = wait()
      if ready.isSilent { break }
      if ready.hasNoReader { throw Failure(side: .output, code: .brokenPipe) }
      if ready.isGone {
        sendFailure = pendingError
        break
      }
      if ready.sending { try send() }
      if ready.receiving { try receive() }
    }
    if let sendFailure { throw Failure(side: .connection, code: sendFailure) }
  }

  /// Whether the peer has ended, and all that the input brought is on its way.
  private var awaitsInputOnly: Bool { receiving.state == .hasEnded && sending.state == .awaitsSource }

  private struct Ready {
    var sending = false
    var receiving = false
    /// The output has no reader any more.
    var hasNoReader = false
    /// The connection takes nothing any more.
    var isGone = false
    /// The input has brought nothing for too long.
    var isSilent = false
  }

  /// Waits for whatever could be carried on.  An end with nothing to do tells of its errors all the same.
  private func wait() -> Ready {
    var exchange: Poller.Interest = receiving.state == .awaitsSource ? .readable : []
    if sending.state == .awaitsSink { exchange.insert(.writable) }
    // Its hang-up would wake this process over and over while the output is full.
    let isOutOfInterest = exchange.isEmpty && !awaitsInputOnly
    var set = PollSet()
    set.add(sending.state == .awaitsSource ? inputNumber : -1, .readable)
    set.add(isOutOfInterest ? -1 : connection.number, exchange)
    set.add(outputNumber, receiving.state == .awaitsSink ? .writable : [])
    let isInTime = try? set.wait(until: awaitsInputOnly ? patience.map { Deadline(after: $0) } ?? .never : .never)
    let connection = set[1]
    var ready = Ready(isSilent: isInTime == false)
    ready.isGone = awaitsInputOnly && !connection.isDisjoint(with: [.hungUp, .failed])
    ready.sending = !set[0].isEmpty || sending.state == .awaitsSink && !connection.subtracting(.readable).isEmpty
    let isOutputReady = !set[2].isEmpty
    ready.hasNoReader = isOutputReady && receiving.state == .awaitsSource
    ready.receiving = isOutputReady || receiving.state == .awaitsSource && !connection.subtracting(.writable).isEmpty
    return ready
  }

  /// Why the connection is gone; nil where the peer has just closed it.
  private var pendingError: ErrorCode? {
    guard let error = try? connection.option(SOL_SOCKET, SO_ERROR), error != 0 else { return nil }
    return ErrorCode(rawValue: error)
  }

  private var inputNumber: CInt {
    switch input {
    case .some(let input): input.number
    case .none: -1
    }
  }
  private var outputNumber: CInt {
    switch output {
    case .some(let output): output.number
    case .none: -1
    }
  }

  private mutating func send() throws(Failure) {
    do throws(Passage.Failure) {
      switch input {
      case .some(let input): try sending.move(from: input, to: connectionAsSink)
      case .none: return
      }
    } catch {
      guard error.isOfSink else { throw Failure(side: .input, code: error.code) }
      // Bytes that the peer had sent before it went away can still be received.
      sendFailure = error.code
      sending.abandon()
      input = nil
      return
    }
    guard sending.state == .hasEnded else { return }
    input = nil
    // It fails where the connection is gone, which receiving tells as well.
    try? connection.shutDownSending()
  }

  private mutating func receive() throws(Failure) {
    do throws(Passage.Failure) {
      switch output {
      case .some(let output): try receiving.move(from: connection, to: output)
      case .none: return
      }
    } catch { throw Failure(side: error.isOfSink ? .output : .connection, code: error.code) }
    if receiving.state == .hasEnded { output = nil }
  }
}
