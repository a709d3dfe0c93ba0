import Glibc

/// A program that is written to and read from at once, over two pipes or three: `open2` and `open3`.
///
/// Neither side can wait for the other for ever because a pipe is full: whoever writes here reads meanwhile.  What the
/// program keeps in its own buffers is another matter: most programs that find no terminal write only when they have some
/// thousand bytes or their input ends.  `TerminalConversation` is for those.
///
/// Letting go of it before `finish` kills the program.
///
/// Source: pipe(7), poll(2).
public struct Conversation: ~Copyable, Sendable {
  /// What the standard error of the program is.
  public enum Errors: Sendable {
    /// The caller's own.
    case inherited
    /// Dropped.
    case null
    /// Mixed into the output (`2>&1`).
    case withOutput
    /// A third pipe (`open3`), read with `readErrors`.
    case separate
  }

  /// Which of the program's streams bytes come from.
  public enum Stream: Sendable {
    case output, errors
  }

  private let path: String
  private var child: ChildProcess
  private var input: Descriptor?
  private var output: BufferedReader
  private var errors: BufferedReader?
  /// How many bytes may wait here to be read; a program that writes more while it is written to ends the conversation.
  private let capacity: Int

  /// Starts the program.
  ///
  /// - Parameter capacity: how many bytes may wait here to be read, while the program is written to.
  /// - Throws: why it cannot be executed, for one.
  public init(with program: Program, errors: Errors = .inherited, capacity: Int = 1 << 28) throws(CallFailure) {
    let inputEnds = try Pipe.open()
    let outputEnds = try Pipe.open()
    let errorEnds: PipeEnds? = errors == .separate ? try Pipe.open() : nil
    let stream: ProgramStream =
      switch errors {
      case .inherited: .inherited
      case .null: .null
      case .withOutput: .asOutput
      case .separate: .descriptor(Self.writingNumber(of: errorEnds))
      }
    let child = try program.spawn(
      input: .descriptor(inputEnds.reading.number), output: .descriptor(outputEnds.writing.number), errors: stream)
    let writing = inputEnds.writing
    // Only this side's end: the program has an open file of its own.
    try writing.setNonBlocking(true)

    path = program.path
    self.capacity = capacity
    self.child = child
    input = consume writing
    output = BufferedReader(outputEnds.reading)
    self.errors = Self.reader(of: errorEnds)
  }

  private static func reader(of ends: consuming PipeEnds?) -> BufferedReader? {
    switch consume ends {
    case .some(let ends): BufferedReader(ends.reading)
    case .none: nil
    }
  }

  private static func writingNumber(of ends: borrowing PipeEnds?) -> CInt {
    switch ends {
    case .some(let ends): ends.writing.number
    case .none: -1
    }
  }

  public var process: pid_t { child.process }

  /// Writes all of the bytes; what the program writes meanwhile waits here to be read.
  ///
  /// - Throws: `EPIPE` when the program reads no more, `ETIMEDOUT` at the deadline, `ENOBUFS` when more waits to be read
  ///   than may.
  public mutating func send(_ bytes: some Collection<UInt8>, until deadline: Deadline = .never) throws(CallFailure) {
    let bytes = Array(bytes)
    var sent = 0
    while sent < bytes.count {
      let turn = try carry(bytes, from: sent, until: deadline)
      guard !turn.isInputRefused else { throw CallFailure("write", on: path, errno: .brokenPipe) }
      sent += turn.sent
      guard waitingCount <= capacity else { throw CallFailure("read", on: path, errno: .noBufferSpace) }
      if sent < bytes.count { try mustBe(before: deadline) }
    }
  }

  public mutating func send(_ text: String, until deadline: Deadline = .never) throws(CallFailure) {
    try send(text.utf8, until: deadline)
  }

  /// Tells the program that nothing more will come: its input ends.
  public mutating func endInput() { input = nil }

  /// The next line of the output without its LF, nil at the end; see `BufferedReader`.
  public mutating func readLine(until deadline: Deadline = .never) throws(CallFailure) -> [UInt8]? {
    var searched = 0
    var hasBegun = false
    while true {
      // A line is there already, or the end: this does not wait.
      if output.hasEnded || output.waiting.dropFirst(searched).contains(UInt8(ascii: "\n")) {
        do throws(Errno) { return try output.readLine(limit: capacity) } catch {
          throw CallFailure("read", on: path, errno: error)
        }
      }
      searched = output.waitingCount
      if hasBegun { try mustBe(before: deadline) }
      hasBegun = true
      guard waitingCount <= capacity else { throw CallFailure("read", on: path, errno: .noBufferSpace) }
      // Standard error is read too: its pipe must not fill up while the program is waited for.
      _ = try carry([], from: 0, until: deadline)
    }
  }

  /// What the program has written by now; waits for the first byte.  Nothing at the end.
  public mutating func read(until deadline: Deadline = .never) throws(CallFailure) -> [UInt8] {
    while output.waitingCount == 0, !output.hasEnded { _ = try carry([], from: 0, until: deadline) }
    return output.take(output.waitingCount)
  }

  /// What has come on the standard error by now, without waiting; only with `Errors.separate`.
  public mutating func readErrors() -> [UInt8] { errors?.take(.max) ?? [] }

  /// Ends the input and waits for the program's end; what it still writes is dropped.
  ///
  /// - Returns: how it ended.
  public consuming func finish() throws(CallFailure) -> ExitStatus {
    endInput()
    // What the program left behind may keep its output open.
    while !isOutputAtEnd, !child.handle.hasEnded {
      let ready = try wait(input: -1, end: child.handle.descriptor.number, until: .never)
      if ready.output { try fill(.output) }
      if ready.errors { try fill(.errors) }
      output.dropWaiting()
      errors?.dropWaiting()
    }
    return try child.wait()
  }

  /// How the program ended; nil when it has not by the deadline.
  public mutating func status(by deadline: Deadline = .never) -> ExitStatus? { child.status(by: deadline) }

  /// Ends the program, by force when it has not ended within `patience`.
  public consuming func end(patience: Duration = .seconds(5)) throws(CallFailure) -> ExitStatus {
    endInput()
    return try child.end(patience: patience)
  }
}

extension Conversation {
  /// Whether both outputs have ended; what came may be read still.
  var isOutputAtEnd: Bool { output.hasEnded && errorsHaveEnded }

  private var errorsHaveEnded: Bool {
    switch errors {
    case .some(let errors): errors.hasEnded
    case .none: true
    }
  }

  var waitingCount: Int {
    switch errors {
    case .some(let errors): output.waitingCount + errors.waitingCount
    case .none: output.waitingCount
    }
  }

  mutating func takeOutput() -> [UInt8] { output.take(.max) }

  /// Makes room for that much output at once.
  mutating func reserve(_ count: Int) { output.reserve(count) }

  /// Of a busy program there is always something to read, so that nobody waits.
  func mustBe(before deadline: Deadline) throws(CallFailure) {
    if deadline.isOver { throw CallFailure("poll", on: path, errno: .timedOut) }
  }

  struct Turn {
    var sent = 0
    /// The program reads no more.
    var isInputRefused = false
  }

  /// Waits until something can be carried on, and does it once for each stream that is ready.
  ///
  /// - Parameter bytes: wait to be written, from `start` on.
  /// - Throws: `ETIMEDOUT` at the deadline.
  mutating func carry(_ bytes: [UInt8], from start: Int, until deadline: Deadline) throws(CallFailure) -> Turn {
    var turn = Turn()
    let wantsToWrite = start < bytes.count
    let inputNumber = wantsToWrite ? self.inputNumber : -1
    guard !wantsToWrite || inputNumber != -1 else {
      turn.isInputRefused = true
      return turn
    }
    if inputNumber == -1, errorsNumber == -1, deadline == .never {
      // Nothing else to look at: waiting and reading are one call.
      if !output.hasEnded { try fill(.output) }
      return turn
    }
    let ready = try wait(input: inputNumber, until: deadline)
    if ready.output { try fill(.output) }
    if ready.errors { try fill(.errors) }
    if ready.input {
      do throws(Errno) {
        turn.sent = try Descriptor.withLent(inputNumber) { (input) throws(Errno) in
          try bytes.withUnsafeBytes { bytes -> Result<Int, Errno> in
            do throws(Errno) {
              return .success(try input.writeWithoutSignal(UnsafeRawBufferPointer(rebasing: bytes[start...])))
            } catch { return .failure(error) }
          }.get()
        }
      } catch {
        switch error {
        case .wouldBlock: break
        case .brokenPipe:
          turn.isInputRefused = true
          endInput()
        default: throw CallFailure("write", on: path, errno: error)
        }
      }
    }
    return turn
  }

  private var inputNumber: CInt {
    switch input {
    case .some(let input): input.number
    case .none: -1
    }
  }

  private var errorsNumber: CInt {
    switch errors {
    case .some(let errors) where !errors.hasEnded: errors.descriptor.number
    default: -1
    }
  }

  /// Which streams are ready.  With nothing left to wait for, none; at the program's end, where it is waited for, too.
  private func wait(input: CInt, end: CInt = -1, until deadline: Deadline) throws(CallFailure) -> (
    input: Bool, output: Bool, errors: Bool
  ) {
    var queries = (
      pollfd(fd: input, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: output.hasEnded ? -1 : output.descriptor.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errorsNumber, events: Int16(POLLIN), revents: 0),
      pollfd(fd: end, events: Int16(POLLIN), revents: 0)
    )
    guard queries.0.fd != -1 || queries.1.fd != -1 || queries.2.fd != -1 else { return (false, false, false) }
    let deadline = min(deadline, .ofThread)
    while true {
      let count = withUnsafeMutableBytes(of: &queries) { bytes in
        poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 4, deadline.milliseconds)
      }
      let error = Errno.current
      if count > 0 { return (queries.0.revents != 0, queries.1.revents != 0, queries.2.revents != 0) }
      if count == -1, error != .interrupted { throw CallFailure("poll", on: path, errno: error) }
      if deadline.hasPassed { throw CallFailure("poll", on: path, errno: .timedOut) }
    }
  }

  private mutating func fill(_ stream: Stream) throws(CallFailure) {
    do throws(Errno) {
      switch stream {
      case .output: _ = try output.fill()
      case .errors: _ = try errors?.fill()
      }
    } catch { throw CallFailure("read", on: path, errno: error) }
  }
}
