import Glibc
@_spi(Begat) import UnixCore

/// A program that is written to and read from at the same time, over two pipes or three: `open2` and `open3`.
///
/// Neither side can wait forever for the other because a pipe is full: this side reads while it writes.  The program's own
/// buffers are another matter: most programs that find no terminal write only when they have some thousand bytes or their
/// input ends.  `TerminalConversation` is for those.
///
/// Letting go of it without `close` kills the program.
///
/// Source: pipe(7), poll(2).
public struct Conversation: ~Copyable, Sendable {
  /// What the standard error of the program is.
  public struct Errors: ~Copyable, Sendable {
    fileprivate let isSeparate: Bool
    fileprivate let stream: ProgramStream

    private init(_ stream: consuming ProgramStream, isSeparate: Bool = false) {
      self.isSeparate = isSeparate
      self.stream = stream
    }

    /// The caller's own.
    public static var inherited: Errors { Errors(.inherited) }
    /// /dev/null.
    public static var null: Errors { Errors(.null) }
    /// Mixed into the output (`2>&1`).
    public static var withOutput: Errors { Errors(.withOutput) }
    /// A third pipe (`open3`), read with `readErrors`.
    public static var separate: Errors { Errors(.null, isSeparate: true) }

    /// An open descriptor, such as a file's, which is closed here when the program has been started.
    public static func descriptor(_ descriptor: consuming Descriptor) -> Errors { Errors(.descriptor(descriptor)) }

    /// An open descriptor of the caller, which keeps it open until the program has been started.
    @_spi(Begat) public static func descriptor(_ number: CInt) -> Errors { Errors(.descriptor(number)) }
  }

  /// Which of the program's streams bytes come from.
  public enum Stream: Sendable {
    /// The standard output.
    case output
    /// The standard error, with `Errors.separate`.
    case errors
  }

  /// What happens when more bytes wait to be read than the capacity.
  public enum Excess: Sendable {
    /// The call fails with `ENOBUFS`, and nothing is lost.
    case fails
    /// The oldest bytes are dropped, and counted in `droppedByteCount` and `droppedErrorByteCount`.
    case isDropped
  }

  let path: String
  var child: ChildProcess
  var input: Descriptor?
  var output: BufferedReader
  var errors: BufferedReader?
  /// How many bytes may wait here to be read.
  let capacity: Int
  /// What happens when more bytes wait than the capacity.
  public var excess = Excess.fails
  /// How many bytes of the output were dropped so far, because they were not taken in time.
  public internal(set) var droppedByteCount: UInt64 = 0
  /// How many bytes of the standard error were dropped so far, because they were not taken in time.
  public internal(set) var droppedErrorByteCount: UInt64 = 0
  /// Called with everything that the program writes, once, as it is read, though it may be dropped later.  An error that
  /// it throws is thrown by the call that read.
  public var watch: (@Sendable (Stream, UnsafeRawBufferPointer) throws(SystemCallError) -> Void)?
  /// Ends all waits with `ECANCELED` when it is cancelled; nil for none.  `terminate` ignores it.
  public var cancellation: Cancellation?

  /// Starts the program.
  ///
  /// - Parameter program: the program to talk with.
  /// - Parameter errors: what its standard error is.
  /// - Parameter capacity: how many bytes may wait here to be read, while the program is written to.
  /// - Throws: as `Program.spawn`.
  public init(with program: Program, errors: consuming Errors = .inherited, capacity: Int = 1 << 28)
    throws(SystemCallError)
  {
    let inputEnds = try PipeEnds()
    let outputEnds = try PipeEnds()
    let errorEnds: PipeEnds? = errors.isSeparate ? try PipeEnds() : nil
    let writing = inputEnds.writeEnd
    // Only this side's end: the program has an open file of its own.
    try writing.setNonBlocking(true)
    let input = ProgramStream.descriptor(inputEnds.readEnd)
    let output = ProgramStream.descriptor(outputEnds.writeEnd)
    if errors.isSeparate {
      let number = Self.writingNumber(of: errorEnds)
      child = try program.spawn(lentInput: input, output: output, errors: .descriptor(number))
    } else {
      child = try program.spawn(lentInput: input, output: output, errors: errors.stream)
    }
    path = program.path.description
    self.capacity = capacity
    self.input = consume writing
    self.output = BufferedReader(outputEnds.readEnd)
    self.errors = Self.reader(of: errorEnds)
  }

  private static func reader(of ends: consuming PipeEnds?) -> BufferedReader? {
    switch consume ends {
    case .some(let ends): BufferedReader(ends.readEnd)
    case .none: nil
    }
  }

  private static func writingNumber(of ends: borrowing PipeEnds?) -> CInt {
    switch ends {
    case .some(let ends): ends.writeEnd.number
    case .none: -1
    }
  }

  /// The program's number.
  public var process: pid_t { child.process }

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

  /// Writes the whole text; what the program writes meanwhile waits here to be read.
  ///
  /// - Throws: as the form with bytes.
  public mutating func send(_ text: String, until deadline: Deadline = .never) throws(SystemCallError) {
    try send(text.utf8, until: deadline)
  }

  /// Ends the program's input.
  public mutating func endInput() { input = nil }

  /// The next line of the output without its LF; nil at the end.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, `ENOBUFS` for a line that does not fit into the capacity.
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

  /// What the program has written by now, at least one byte; nothing at the end.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline.
  public mutating func read(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    while output.waitingCount == 0, !output.hasEnded { _ = try carry([], from: 0, until: deadline) }
    return output.take(output.waitingCount)
  }

  /// What has come on the standard error by now, without waiting; only with `Errors.separate`.
  public mutating func readErrors() -> [UInt8] { errors?.take(.max) ?? [] }

  /// Ends the input and waits for the program's end; what it still writes is dropped.
  ///
  /// - Parameter deadline: how long to wait.
  /// - Returns: how it ended.
  /// - Throws: `ETIMEDOUT` if it has not ended by the deadline, or by one of `withDeadline`; `ECANCELED`.  The input has
  ///   ended then, and `close` or `terminate` may be called again.
  @discardableResult
  public mutating func close(until deadline: Deadline = .never) throws(SystemCallError) -> ExitStatus {
    endInput()
    // What the program left behind may keep its output open.
    while !isOutputAtEnd, !child.handle.hasEnded {
      let ready = try wait(end: child.handle.descriptor.number, until: deadline)
      try fillReady(ready)
      output.dropWaiting()
      errors?.dropWaiting()
      if !isOutputAtEnd { try mustBe(before: deadline) }
    }
    return try child.waitForExit(until: deadline, cancelledBy: cancellation)
  }

  /// How the program ended; nil if it has not ended by the deadline, or by one of `withDeadline`.
  public func status(until deadline: Deadline = .never) -> ExitStatus? { child.status(until: deadline) }

  /// Ends the program: it gets SIGTERM, its input ends, and SIGKILL after the grace period.  What it has written may be
  /// read afterwards.
  ///
  /// - Returns: how it ended.
  @discardableResult
  public mutating func terminate(gracePeriod: Duration = .seconds(5)) -> ExitStatus {
    child.requestEnd()
    endInput()
    return child.endOrKill(gracePeriod: gracePeriod)
  }
}
