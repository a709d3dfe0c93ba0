import Glibc
@_spi(Begat) import UnixCore

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
  public enum Errors: Hashable, Sendable {
    /// The caller's own.
    case inherited
    /// Dropped.
    case null
    /// Mixed into the output (`2>&1`).
    case withOutput
    /// A third pipe (`open3`), read with `readErrors`.
    case separate
    /// An open descriptor of the caller's, such as a file's.
    case descriptor(CInt)
  }

  /// Which of the program's streams bytes come from.
  public enum Stream: Sendable {
    case output, errors
  }

  /// What becomes of what waits to be read above the capacity.
  public enum Excess: Sendable {
    /// `ENOBUFS`: nothing is lost.
    case fails
    /// Forgotten, the oldest first, and counted in `droppedByteCount` and `droppedErrorByteCount`.
    case isDropped
  }

  let path: String
  var child: ChildProcess
  var input: Descriptor?
  var output: BufferedReader
  var errors: BufferedReader?
  /// How many bytes may wait here to be read; a program that writes more while it is written to ends the conversation.
  let capacity: Int
  public var excess = Excess.fails
  /// How many bytes of the output were dropped so far, because nobody took them in time.
  public internal(set) var droppedByteCount: UInt64 = 0
  /// The same of the standard error.
  public internal(set) var droppedErrorByteCount: UInt64 = 0
  /// Sees everything that the program writes, once, as it is read, though it may be dropped later.  What it throws comes
  /// out of the call that read.
  public var watch: (@Sendable (Stream, UnsafeRawBufferPointer) throws(SystemCallError) -> Void)?
  /// Readable when nobody wants to wait any more; -1 for none.
  var cancellation: CInt = -1

  /// Starts the program.
  ///
  /// - Parameter capacity: how many bytes may wait here to be read, while the program is written to.
  /// - Throws: why it cannot be executed, for one.
  public init(with program: Program, errors: Errors = .inherited, capacity: Int = 1 << 28) throws(SystemCallError) {
    let inputEnds = try Pipe.open()
    let outputEnds = try Pipe.open()
    let errorEnds: PipeEnds? = errors == .separate ? try Pipe.open() : nil
    let stream: ProgramStream =
      switch errors {
      case .inherited: .inherited
      case .null: .null
      case .withOutput: .asOutput
      case .separate: .descriptor(Self.writingNumber(of: errorEnds))
      case .descriptor(let number): .descriptor(number)
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

  /// From now on every wait for the program's streams ends with `ECANCELED` once the descriptor is readable, such as a
  /// `SignalQueue`'s.  It stays the caller's, who keeps it open.
  public mutating func cancelWaits(by descriptor: borrowing Descriptor) { cancellation = descriptor.number }

  /// How many bytes of the output wait.
  public var waitingByteCount: Int { output.waitingCount }

  /// The last bytes of the output that wait, at most 256: what came instead of something else.
  public var lastBytes: [UInt8] { Array(output.waiting.suffix(256)) }

  /// Writes all of the bytes; what the program writes meanwhile waits here to be read.
  ///
  /// - Throws: `EPIPE` when the program reads no more, `ETIMEDOUT` at the deadline, `ENOBUFS` when more waits to be read
  ///   than may.
  public mutating func send(_ bytes: some Collection<UInt8>, until deadline: Deadline = .never) throws(SystemCallError)
  {
    let bytes = Array(bytes)
    var sent = 0
    while sent < bytes.count {
      let turn = try carry(bytes, from: sent, until: deadline)
      guard !turn.isInputRefused else { throw SystemCallError("write", on: path, code: .brokenPipe) }
      sent += turn.sent
      try boundWaiting()
      if sent < bytes.count { try mustBe(before: deadline) }
    }
  }

  public mutating func send(_ text: String, until deadline: Deadline = .never) throws(SystemCallError) {
    try send(text.utf8, until: deadline)
  }

  /// Tells the program that nothing more will come: its input ends.
  public mutating func endInput() { input = nil }

  /// The next line of the output without its LF, nil at the end; see `BufferedReader`.
  public mutating func readLine(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8]? {
    var searched = 0
    var hasBegun = false
    while true {
      // A line is there already, or the end: this does not wait.
      if output.hasEnded || output.waiting.dropFirst(searched).contains(UInt8(ascii: "\n")) {
        do throws(SystemCallError) { return try output.readLine(limit: capacity) } catch {
          throw SystemCallError("read", on: path, code: error.code)
        }
      }
      searched = output.waitingCount
      if hasBegun { try mustBe(before: deadline) }
      hasBegun = true
      // A line must be whole: here nothing is dropped.
      guard waitingCount <= capacity else { throw SystemCallError("read", on: path, code: .noBufferSpace) }
      // Standard error is read too: its pipe must not fill up while the program is waited for.
      _ = try carry([], from: 0, until: deadline)
    }
  }

  /// What the program has written by now; waits for the first byte.  Nothing at the end.
  public mutating func read(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    while output.waitingCount == 0, !output.hasEnded { _ = try carry([], from: 0, until: deadline) }
    return output.take(output.waitingCount)
  }

  /// What has come on the standard error by now, without waiting; only with `Errors.separate`.
  public mutating func readErrors() -> [UInt8] { errors?.take(.max) ?? [] }

  /// Ends the input and waits for the program's end; what it still writes is dropped.
  ///
  /// - Returns: how it ended.
  public consuming func finish() throws(SystemCallError) -> ExitStatus {
    endInput()
    // What the program left behind may keep its output open.
    while !isOutputAtEnd, !child.handle.hasEnded {
      let ready = try wait(end: child.handle.descriptor.number, until: .never)
      try fillReady(ready)
      output.dropWaiting()
      errors?.dropWaiting()
    }
    return try child.wait()
  }

  /// How the program ended; nil when it has not by the deadline.
  public mutating func status(by deadline: Deadline = .never) -> ExitStatus? { child.status(by: deadline) }

  /// Ends the program, by force when it has not ended within `patience`.
  public consuming func end(patience: Duration = .seconds(5)) throws(SystemCallError) -> ExitStatus {
    endInput()
    return try child.end(patience: patience)
  }
}
