import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// A log file, written by a process of its own: a full or hanging file system delays that process alone.
///
/// Lines go there by a socket that keeps messages apart.  What does not fit into it is dropped here, and counted.  An order
/// to open the file anew goes the same way, so that each line is in exactly one file: those before the order in the old
/// one, those after it in the new one.
final class LogFile: LineOutput {
  /// A message of more bytes might not be taken at once.
  let atomicSize = 16_384

  /// A message about the file, to be logged.
  enum News {
    case opened
    case failed(String)
  }

  private var path: String
  private(set) var process: pid_t?
  private var channel: Descriptor?
  private let program: HeldProgram
  private let standardError: CInt
  /// Where the writer counts the lines that it has written.
  private let counter: MemoryMapping
  private let counterObject: Descriptor
  /// Lines that were handed over.
  private var sent: UInt64 = 0
  private var retry = Retry()
  /// When the writer is started again, CLOCK_MONOTONIC nanoseconds; nil while it runs.
  private(set) var restartTime: Int64?

  /// How long begatd waits at its start and at its end for a writer that may hang.
  static let patience: Duration = .seconds(2)

  /// - Parameter program: begatd's own.
  /// - Parameter standardError: the descriptor that the writer gets as standard error.
  /// - Throws: when there is no memory or no process for it.
  init(path: String, program: HeldProgram, standardError: CInt) throws(SystemCallError) {
    self.path = path
    self.program = program
    self.standardError = standardError
    counterObject = try MemoryFile.create(name: "begat-log", size: LogWriterProgram.counterSize)
    counter = try MemoryMapping.file(counterObject, size: LogWriterProgram.counterSize, writable: false)
    try start()
  }

  var channelNumber: CInt? {
    switch channel {
    case .some(let channel): channel.number
    case nil: nil
    }
  }

  /// Starts the writer, which opens the file.
  func start() throws(SystemCallError) {
    restartTime = nil
    var program = program.program(["--write-log"], title: "begatd: log")
    program.umask = 0o027
    // Meant for begatd, whose name it has: it ends when there is nothing more to write.
    program.ignoredSignals = [.hangUp, .interrupt, .terminate, .quit, .user1]
    let pair = try SocketPair(kind: .sequencedPacket)
    process = try program.start(descriptors: [
      StandardStreams.nullNumber, StandardStreams.nullNumber, standardError, pair.second.number, counterObject.number,
    ])
    let own = pair.first
    channel = consume own
    sent = written
    order()
  }

  /// Opens the file anew: another file may have its name by now.
  ///
  /// - Parameter path: the name from now on.
  func reopen(path: String? = nil) {
    if let path { self.path = path }
    order()
    // A writer that waits for room in the old file is not to wait any longer.
    if let process { try? Signal.user1.send(to: process) }
  }

  private func order() {
    let order = [LogWriterProgram.openOrder] + Array(path.utf8)
    isOrderPending = !order.withUnsafeBytes { send($0) }
  }

  /// Whether an order to open the file found no room.
  private var isOrderPending = false

  func write(_ lines: UnsafeRawBufferPointer) -> Bool {
    if isOrderPending { order() }
    guard !isOrderPending, send(lines) else { return false }
    for byte in lines where byte == UInt8(ascii: "\n") { sent &+= 1 }
    return true
  }

  private func send(_ message: UnsafeRawBufferPointer) -> Bool {
    switch channel {
    case .some(let channel): (try? channel.send(message, waiting: false)) != nil
    case nil: false
    }
  }

  private var written: UInt64 { counter.unsafeBytes.load(as: UInt64.self) }

  /// Reads what the writer reports; nil if there is nothing more.
  func readNews() -> News? {
    switch channel {
    case nil: nil
    case .some(let channel):
      withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room -> News? in
        guard let count = try? channel.receive(into: room, waiting: false), count > 0 else { return nil }
        let text = escaped(UnsafeRawBufferPointer(rebasing: room[..<count]), doublingBackslashes: false)
        guard text == LogWriterProgram.opened else { return .failed(text) }
        _ = retry.succeeded()
        return .opened
      }
    }
  }

  /// Waits for the first report; nil if the writer hangs.
  func awaitNews() -> News? {
    switch channel {
    case nil: return nil
    case .some(let channel):
      guard channel.wait(for: .readable, until: Deadline(after: LogFile.patience)) else { return nil }
    }
    return readNews() ?? .failed("the process that writes the log has ended")
  }

  /// The writer has been reaped: another one is started soon.
  ///
  /// - Returns: how many lines are lost with it, and in how many nanoseconds another one is started.
  func writerEnded(_ status: ExitStatus) -> (lost: Int, delay: Int64) {
    let lost = Int(clamping: sent &- written)
    process = nil
    channel = nil
    return (lost, postpone("\(status)"))
  }

  /// Starts a writer later; returns in how many nanoseconds.
  @discardableResult
  func postpone(_ failure: String) -> Int64 {
    let delay = retry.failed(failure).delay
    restartTime = SystemClock.monotonic() + delay
    return delay
  }

  /// Lets the writer end when it has written everything.  One that has not after a moment hangs, and is killed.
  ///
  /// - Returns: how many lines are lost by that.
  @discardableResult
  func close() -> Int {
    if isOrderPending { order() }
    channel = nil
    guard let process else { return 0 }
    if (try? Children.waitForExit(of: process, until: Deadline(after: LogFile.patience))) != true {
      try? Signal.kill.send(to: process)
      // A file system that hangs may keep it even so.
      _ = try? Children.waitForExit(of: process, until: Deadline(after: .milliseconds(200)))
    }
    _ = Children.reap(process)
    self.process = nil
    return Int(clamping: sent &- written)
  }
}
