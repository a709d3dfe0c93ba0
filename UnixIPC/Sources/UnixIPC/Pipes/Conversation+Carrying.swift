import Glibc
@_spi(Begat) import UnixCore

/// Bytes on their way between the conversation and its program.
extension Conversation {
  /// Sees to it that no more waits than may.
  mutating func boundWaiting() throws(SystemCallError) {
    guard waitingCount > capacity else { return }
    switch excess {
    case .fails: throw SystemCallError("read", on: path, code: .noBufferSpace)
    case .isDropped:
      droppedByteCount += UInt64(output.keepLast(capacity))
      droppedErrorByteCount += UInt64(errors?.keepLast(capacity) ?? 0)
    }
  }

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

  /// A busy program always has something to read, so that no wait notices the deadline.
  func mustBe(before deadline: Deadline) throws(SystemCallError) {
    if deadline.isExpired { throw SystemCallError("poll", on: path, code: .timedOut) }
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
  mutating func carry(_ bytes: [UInt8], from start: Int, until deadline: Deadline) throws(SystemCallError) -> Turn {
    var turn = Turn()
    let wantsToWrite = start < bytes.count
    let inputNumber = wantsToWrite ? self.inputNumber : -1
    guard !wantsToWrite || inputNumber != -1 else {
      turn.isInputRefused = true
      return turn
    }
    if inputNumber == -1, errorsNumber == -1, cancellation == nil, deadline == .never {
      // Nothing else to look at: waiting and reading are one call.
      if !output.hasEnded { try fill(.output) }
      return turn
    }
    let ready = try wait(input: inputNumber, until: deadline)
    try fillReady(ready)
    if ready.contains(.input) {
      do throws(SystemCallError) {
        turn.sent = try Descriptor.withBorrowed(inputNumber) { (input) throws(SystemCallError) in
          try bytes.withUnsafeBytes { bytes -> Result<Int, SystemCallError> in
            do throws(SystemCallError) {
              return .success(try input.write(UnsafeRawBufferPointer(rebasing: bytes[start...])))
            } catch { return .failure(error) }
          }.get()
        }
      } catch {
        switch error.code {
        case .wouldBlock: break
        case .brokenPipe:
          turn.isInputRefused = true
          endInput()
        default: throw SystemCallError("write", on: path, code: error.code)
        }
      }
    }
    return turn
  }

  /// -1 when it has ended.
  var inputNumber: CInt {
    switch input {
    case .some(let input): input.number
    case .none: -1
    }
  }

  /// -1 when it has ended.
  var outputNumber: CInt { output.hasEnded ? -1 : output.descriptor.number }

  /// -1 when it has ended, or is no stream of its own.
  var errorsNumber: CInt {
    switch errors {
    case .some(let errors) where !errors.hasEnded: errors.descriptor.number
    default: -1
    }
  }

  struct Readiness: OptionSet {
    let rawValue: UInt8
    static let input = Readiness(rawValue: 1)
    static let output = Readiness(rawValue: 2)
    static let errors = Readiness(rawValue: 4)
    /// The program has ended.
    static let end = Readiness(rawValue: 8)
    /// What shall be passed on to the program.
    static let source = Readiness(rawValue: 16)
    static let cancellation = Readiness(rawValue: 32)
  }

  /// What is ready: the outputs, and what else is asked for.  With nothing left to wait for, nothing.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when it is cancelled.
  func wait(input: CInt = -1, end: CInt = -1, source: CInt = -1, until deadline: Deadline) throws(SystemCallError)
    -> Readiness
  {
    let numbers = (input, outputNumber, errorsNumber, end, source)
    guard numbers != (-1, -1, -1, -1, -1) else { return [] }
    let cancellation = cancellation
    defer { withExtendedLifetime(cancellation) {} }
    // In the order of the bits of `Readiness`.
    var set = PollSet()
    set.add(input, .writable)
    for number in [outputNumber, errorsNumber, end, source, cancellation?.number ?? -1] { set.add(number, .readable) }
    let isInTime: Bool
    do throws(SystemCallError) { isInTime = try set.wait(until: deadline) } catch {
      throw SystemCallError("poll", on: path, code: error.code)
    }
    guard isInTime else { throw SystemCallError("poll", on: path, code: .timedOut) }
    var ready: Readiness = []
    for index in 0..<set.count where !set[index].isEmpty { ready.insert(Readiness(rawValue: 1 << UInt8(index))) }
    if ready.contains(.cancellation) { throw SystemCallError("poll", on: path, code: .canceled) }
    return ready
  }

  /// Reads once from each output that is ready.
  mutating func fillReady(_ ready: Readiness) throws(SystemCallError) {
    if ready.contains(.output) { try fill(.output) }
    if ready.contains(.errors) { try fill(.errors) }
  }

  mutating func fill(_ stream: Stream) throws(SystemCallError) {
    let before = waitingCount
    do throws(SystemCallError) {
      switch stream {
      case .output: _ = try output.fill()
      case .errors: _ = try errors?.fill()
      }
    } catch { throw SystemCallError("read", on: path, code: error.code) }
    guard let watch, waitingCount > before else { return }
    let count = waitingCount - before
    switch stream {
    case .output: try output.showLast(count) { (bytes) throws(SystemCallError) in try watch(stream, bytes) }
    case .errors: try errors?.showLast(count) { (bytes) throws(SystemCallError) in try watch(stream, bytes) }
    }
  }
}
