import Admission
import Glibc
import UnixIPC

/// What programs and connection processes write to standard error: lines for the log.
///
/// One pipe for all of a service: a line that a program writes at once stays whole.  The listener reads it, not begatd: a
/// program never writes to a pipe that nobody has.  Connection processes of built-in services have it too, so that one
/// that was taken over can write neither to begatd's own log nor to a terminal.
struct ProgramErrors: ~Copyable {
  /// Bytes of a line that are kept.
  static let longestLine = 1000
  /// A program that talks without end does not fill the log.
  private static let rate = RateLimit("50/s burst 100")!

  let reading: Descriptor
  let writing: Descriptor
  private let bucket = TokenBucket(rate)
  private var fullAt = TokenBucket.untouched
  private var line: [UInt8] = []
  private var leftOut = 0
  /// Whether lines were left out since this was last set to false: then the pipe may stay unread for a while.
  var isFlooded = false
  /// What stands before each line.
  private let label: String
  private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

  init(label: String = "program: ") throws(CallFailure) {
    self.label = label
    let pipe = try Pipe.open()
    try pipe.reading.setNonBlocking(true)
    reading = pipe.reading
    writing = pipe.writing
    line.reserveCapacity(ProgramErrors.longestLine)
  }

  deinit { room.deallocate() }

  /// What programs get as standard error: the pipe, or the listener's own where there is none.
  static func number(of errors: borrowing ProgramErrors?) -> CInt {
    switch errors {
    case .some(let errors): errors.writing.number
    case nil: STDERR_FILENO
    }
  }

  /// Takes what is there, at most 64 KiB: others are waiting too.
  ///
  /// - Parameter log: false where the line could not be delivered.
  /// - Returns: whether anything was there.
  @discardableResult
  mutating func read(_ log: (String) -> Bool) -> Bool {
    guard let count = try? reading.read(into: room), count > 0 else { return false }
    var rest = UnsafeRawBufferPointer(rebasing: room[..<count])
    while let start = rest.baseAddress, !rest.isEmpty {
      let end = memchr(start, CInt(UInt8(ascii: "\n")), rest.count)
      let length = end.map { UnsafeRawPointer($0) - start } ?? rest.count
      line += rest.prefix(min(length, ProgramErrors.longestLine - line.count))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(length + (end == nil ? 0 : 1)))
      if end != nil { finish(log) }
    }
    return true
  }

  /// Whether a line has begun and not ended.
  var hasPart: Bool { !line.isEmpty }

  /// Logs what is there of a line that was not ended: its program has ended, or has written nothing for a while.
  mutating func finishPart(_ log: (String) -> Bool) { if hasPart { finish(log) } }

  /// Says what is left of a line that nobody ended.
  mutating func flush(_ log: (String) -> Bool) {
    if !line.isEmpty { finish(log) }
    sayLeftOut(log)
  }

  private mutating func finish(_ log: (String) -> Bool) {
    defer { line.removeAll(keepingCapacity: true) }
    LineEnd.removeReturn(from: &line)
    guard !line.isEmpty else { return }
    let now = Deadline.now
    guard bucket.nextTime(fullAt: fullAt) <= now else {
      leftOut += 1
      isFlooded = true
      return
    }
    fullAt = bucket.taking(fullAt: fullAt, now: now)
    sayLeftOut(log)
    if !log(label + UntrustedBytes(line).escaped(doublingBackslashes: false)) { leftOut += 1 }
  }

  private mutating func sayLeftOut(_ log: (String) -> Bool) {
    guard leftOut > 0 else { return }
    if log("\(leftOut) lines of programs are left out: more than \(ProgramErrors.rate), or than the log takes") {
      leftOut = 0
    }
  }
}
