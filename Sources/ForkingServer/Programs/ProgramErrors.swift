import Admission
import CSharedLayouts
import Glibc
@_spi(Begat) import UnixCore

/// A message for the log that comes from a program.
enum ProgramMessage {
  /// A line of a connection's program; the record says which connection it is.
  case line([UInt8], begat_record)
  /// Any other text.
  case text(String)
}

/// How many lines of programs a service logs: it keeps a program that writes forever from filling the log.
final class ProgramLineRate {
  private static let rate = RateLimit("50/s burst 100")!

  private let bucket = TokenBucket(rate)
  private var fullAt = TokenBucket.untouched
  private var leftOut = 0
  /// The memory that pipes are read into, one after the other.
  private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

  deinit { room.deallocate() }

  /// The result of reading a pipe.
  enum Found {
    case nothing
    /// Valid until the next pipe is read.
    case output(UnsafeRawBufferPointer)
    /// No process can write any more.
    case end
  }

  /// Reads what is in a pipe, at most 64 KiB, because clients are waiting too.
  func read(_ pipe: borrowing Descriptor) -> Found {
    guard let count = try? pipe.read(into: room) else { return .nothing }
    return count > 0 ? .output(UnsafeRawBufferPointer(rebasing: room[..<count])) : .end
  }

  /// Whether the rate allows another message; one that it does not allow is counted as left out.
  fileprivate func admits() -> Bool {
    let now = Deadline.now
    guard bucket.nextTime(fullAt: fullAt) <= now else {
      leftOut += 1
      return false
    }
    fullAt = bucket.taking(fullAt: fullAt, now: now)
    return true
  }

  /// Logs a message that the rate allows.
  ///
  /// - Parameter log: returns false if it could not be delivered.
  fileprivate func log(_ message: ProgramMessage, _ log: (ProgramMessage) -> Bool) {
    sayLeftOut(log)
    if !log(message) { leftOut += 1 }
  }

  /// Logs how many lines were left out, if there are any.
  func sayLeftOut(_ log: (ProgramMessage) -> Bool) {
    guard leftOut > 0 else { return }
    let lines = leftOut == 1 ? "1 line of programs is" : "\(leftOut) lines of programs are"
    if log(.text("\(lines) left out: more than \(Self.rate), or than the log takes")) { leftOut = 0 }
  }
}

/// The lines that one pipe brings.
final class ProgramLines {
  /// Bytes of a line that are kept.
  static let longestLine = 1000

  /// Says which connection writes; nil for a pipe that all share.
  let record: begat_record?
  /// When the pipe is read again; nil while it is watched.
  var resumeTime: Deadline?
  /// When an unfinished line is logged; nil if there is none.
  var partTime: Deadline?
  /// Whether lines were left out since this was last set to false: then the pipe may stay unread for a while.
  var isFlooded = false
  private let rate: ProgramLineRate
  private var line: [UInt8] = []
  /// The text before each line of a pipe that all share.
  private let label: String

  init(of record: begat_record? = nil, label: String = "", rate: ProgramLineRate) {
    self.record = record
    self.label = label
    self.rate = rate
  }

  /// Takes what was read.
  ///
  /// - Parameter log: logs a message; returns false if it could not be delivered.
  func take(_ bytes: UnsafeRawBufferPointer, _ log: (ProgramMessage) -> Bool) {
    var rest = bytes
    while let start = rest.baseAddress, !rest.isEmpty {
      let end = memchr(start, CInt(UInt8(ascii: "\n")), rest.count)
      let length = end.map { UnsafeRawPointer($0) - start } ?? rest.count
      line += rest.prefix(min(length, ProgramLines.longestLine - line.count))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(length + (end == nil ? 0 : 1)))
      if end != nil { finish(log) }
    }
  }

  /// Whether a line has begun and not ended.
  var hasPart: Bool { !line.isEmpty }

  /// Logs what is there of a line that was not ended: its program has ended, or has written nothing for a while.
  func finishPart(_ log: (ProgramMessage) -> Bool) {
    partTime = nil
    if hasPart { finish(log) }
  }

  private func finish(_ log: (ProgramMessage) -> Bool) {
    defer { line.removeAll(keepingCapacity: true) }
    LineEnd.removeReturn(from: &line)
    guard !line.isEmpty else { return }
    // Before a message is made of it: a flood must not cost much.
    guard rate.admits() else {
      isFlooded = true
      return
    }
    let message: ProgramMessage =
      if let record { .line(line, record) } else {
        .text(label + UntrustedBytes(line).escaped(doublingBackslashes: false))
      }
    rate.log(message, log)
  }
}

/// The pipe for standard error of processes that have none of their own: connection processes of built-in services, and
/// programs where there are not enough descriptors.
///
/// So a connection process that was taken over can write neither to begatd's own log nor to a terminal.  The listener reads
/// it, not begatd: a program never writes to a pipe without a reader.
final class ProgramErrors {
  let rate: ProgramLineRate
  let lines: ProgramLines
  let reading: Descriptor
  private let writing: Descriptor

  init(label: String = "program: ", rate: ProgramLineRate) throws(SystemCallError) {
    self.rate = rate
    lines = ProgramLines(label: label, rate: rate)
    let pipe = try PipeEnds.readWithoutWaiting()
    reading = pipe.readEnd
    writing = pipe.writeEnd
  }

  /// The descriptor that programs get as standard error.
  var number: CInt { writing.number }
}
