import CPlatform
import Glibc
@_spi(Begat) import UnixCore

extension Conversation {
  /// Passes everything that can be read on to the program, and its end, and takes what the program writes meanwhile, until
  /// the program has ended.
  ///
  /// What the program writes is for `watch`, and waits too: with `excess = .isDropped` it may be any amount.  Where the
  /// program reads no more, the rest is left unread, but for one piece.  What it left behind with its outputs open is not
  /// waited for.
  ///
  /// - Returns: how the program ended.
  public mutating func exchange(input source: borrowing Descriptor) throws(SystemCallError) -> ExitStatus {
    let number = source.number
    return try carryOn(until: .never, source: number)
  }

  /// Waits for the program's end while taking what it writes, as `exchange` does.  Its input stays as it is.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline.
  @discardableResult
  public mutating func waitForExit(until deadline: Deadline = .never) throws(SystemCallError) -> ExitStatus {
    try carryOn(until: deadline, source: -1)
  }

  private mutating func carryOn(until deadline: Deadline, source: CInt) throws(SystemCallError) -> ExitStatus {
    var flow = ByteFlow()
    if source == -1 || inputNumber == -1 { flow.abandon() }
    var isEnded = false
    while !isEnded {
      let ready = try wait(
        input: flow.isEmpty ? -1 : inputNumber, end: child.handle.descriptor.number,
        source: flow.wantsMore ? source : -1, until: deadline)
      if ready.contains(.source) { try read(source, into: &flow) }
      if ready.contains(.input) { try pass(&flow) }
      if source != -1, flow.hasEnded, flow.isEmpty { endInput() }
      try fillReady(ready)
      try boundWaiting()
      isEnded = ready.contains(.end)
      if !isEnded { try mustBe(before: deadline) }
    }
    try takeRest()
    return try child.waitForExit(until: deadline, cancelledBy: cancellation)
  }

  private func read(_ source: CInt, into flow: inout ByteFlow) throws(SystemCallError) {
    do throws(SystemCallError) {
      try flow.fill { (buffer) throws(SystemCallError) in
        try check("read", onDescriptor: source) { Glibc.read(source, buffer.baseAddress, buffer.count) }
      }
    } catch { throw SystemCallError("read", onDescriptor: source, code: error.code) }
  }

  private mutating func pass(_ flow: inout ByteFlow) throws(SystemCallError) {
    let number = inputNumber
    do throws(SystemCallError) {
      try flow.drain { (bytes) throws(SystemCallError) in
        try Descriptor.withBorrowed(number) { (input) throws(SystemCallError) in try input.write(bytes) }
      }
    } catch {
      guard error.code == .brokenPipe else { throw SystemCallError("write", on: path, code: error.code) }
      flow.abandon()
    }
  }

  /// What an ended program has in its pipes, however much they hold, and not what comes later: another process that has
  /// them open may write forever.
  private mutating func takeRest() throws(SystemCallError) {
    let counts = (output: Self.unreadCount(outputNumber), errors: Self.unreadCount(errorsNumber))
    try take(counts.output, of: .output)
    try take(counts.errors, of: .errors)
  }

  private static func unreadCount(_ number: CInt) -> Int { number == -1 ? 0 : Int(platform_unread_count(number)) }

  private mutating func take(_ count: Int, of stream: Stream) throws(SystemCallError) {
    var left = count
    while left > 0 {
      let before = waitingCount
      try fill(stream)
      let taken = waitingCount - before
      if taken == 0 { return }
      left -= taken
      try boundWaiting()
    }
  }
}
