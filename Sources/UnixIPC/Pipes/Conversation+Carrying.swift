import Glibc

/// Bytes on their way between the conversation and its program.
extension Conversation {
  /// Sees to it that no more waits than may.
  mutating func boundWaiting() throws(CallFailure) {
    guard waitingCount > capacity else { return }
    switch excess {
    case .fails: throw CallFailure("read", on: path, errno: .noBufferSpace)
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
    if inputNumber == -1, errorsNumber == -1, cancellation == -1, deadline == .never {
      // Nothing else to look at: waiting and reading are one call.
      if !output.hasEnded { try fill(.output) }
      return turn
    }
    let ready = try wait(input: inputNumber, until: deadline)
    try fillReady(ready)
    if ready.contains(.input) {
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
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when somebody has cancelled it.
  func wait(input: CInt = -1, end: CInt = -1, source: CInt = -1, until deadline: Deadline) throws(CallFailure)
    -> Readiness
  {
    let numbers = (input, outputNumber, errorsNumber, end, source)
    guard numbers != (-1, -1, -1, -1, -1) else { return [] }
    // In the order of the bits of `Readiness`.
    var set = PollSet()
    set.add(input, .writable)
    for number in [outputNumber, errorsNumber, end, source, cancellation] { set.add(number, .readable) }
    let isInTime: Bool
    do throws(Errno) { isInTime = try set.wait(until: deadline) } catch {
      throw CallFailure("poll", on: path, errno: error)
    }
    guard isInTime else { throw CallFailure("poll", on: path, errno: .timedOut) }
    var ready: Readiness = []
    for index in 0..<set.count where !set[index].isEmpty { ready.insert(Readiness(rawValue: 1 << UInt8(index))) }
    if ready.contains(.cancellation) { throw CallFailure("poll", on: path, errno: .canceled) }
    return ready
  }

  /// Reads once from each output that is ready.
  mutating func fillReady(_ ready: Readiness) throws(CallFailure) {
    if ready.contains(.output) { try fill(.output) }
    if ready.contains(.errors) { try fill(.errors) }
  }

  mutating func fill(_ stream: Stream) throws(CallFailure) {
    let before = waitingCount
    do throws(Errno) {
      switch stream {
      case .output: _ = try output.fill()
      case .errors: _ = try errors?.fill()
      }
    } catch { throw CallFailure("read", on: path, errno: error) }
    guard let watch, waitingCount > before else { return }
    let count = waitingCount - before
    switch stream {
    case .output: try output.showLast(count) { (bytes) throws(CallFailure) in try watch(stream, bytes) }
    case .errors: try errors?.showLast(count) { (bytes) throws(CallFailure) in try watch(stream, bytes) }
    }
  }
}
