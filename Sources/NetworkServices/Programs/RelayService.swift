import Glibc
import UnixIPC

/// A program behind a process that carries the bytes between it and its client, counts them, and watches the time.
///
/// The program has one socket as its input and output.  Each side's end of sending is passed on, and the other direction
/// goes on.
public struct RelayService: NetworkService {
  private let program: PreparedProgram
  /// Where the program's standard error goes.
  private let errors: CInt

  /// - Parameter program: stays in the process group of whoever starts it.
  /// - Parameter errors: an open descriptor.
  public init(program: PreparedProgram, errors: CInt) {
    self.program = program
    self.errors = errors
  }

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    // The program is in the same group.  What ends it there must not end this process before it: SIGKILL does both.
    do throws(CallFailure) { try ProcessControl.leadGroup() } catch { throw .call(error.errno) }
    SignalSet(.terminate, .interrupt, .hangUp).becomeMask()
    let running: RunningProgram
    do throws(CallFailure) { running = try start(for: connection.clientVariables) } catch {
      Descriptor.withLent(errors) { log in try? log.writeAll("\(error)\n") }
      // As shells tell it.
      throw .exited(127)
    }
    var pump = RelayPump(limits: connection.limits)
    let limit = pump.run(client: &connection, program: running.stream)
    if let limit { return end(running, &connection, limit) }
    let child = running.leave()
    guard let status = try? Children.await(child) else { throw .call(.noChild) }
    switch status {
    case .exited(0): return
    case .exited(let code): throw .exited(UInt8(truncatingIfNeeded: code))
    // As shells tell it.
    case .killed(let signal, _): throw .exited(UInt8(truncatingIfNeeded: 128 + signal.rawValue))
    }
  }

  private func start(for client: ClientVariables) throws(CallFailure) -> RunningProgram {
    let ends = try Descriptor.socketPair(kind: streamKind)
    let outer = ends.writing.number
    let child = try program.start(descriptors: [outer, outer, errors]) { client.write(to: &$0) }
    return RunningProgram(process: child, stream: ends.reading)
  }

  /// How long a program may take to end when it is told to.
  static let patience: Duration = .seconds(5)

  /// Ends the connection, the program with all of its group, and this process, which belongs to it.
  private func end(_ running: consuming RunningProgram, _ connection: inout Connection, _ limit: Waiting) {
    connection.cut()
    connection.noteMissed(limit)
    // Before the program finds its client gone: that is not for it to report.
    let group = getpgrp()
    try? Signal.terminate.send(toGroup: group)
    _ = Children.awaitEnd(running.leave(), within: RelayService.patience)
    try? Signal.kill.send(toGroup: group)
  }
}

/// A program that was started, and this side's end of what it reads or writes.
struct RunningProgram: ~Copyable {
  let process: pid_t
  let stream: Descriptor

  init(process: pid_t, stream: consuming Descriptor) {
    self.process = process
    self.stream = consume stream
  }

  /// Closes the stream; the program may go on.
  consuming func leave() -> pid_t { process }
}

/// Carries the bytes of a relay.
struct RelayPump: ~Copyable {
  /// The idle limit is for a line in either direction, or for so many bytes without one: a client that sends a byte now
  /// and then is idle, even if its program sends each one back.
  private static let recordSize = 512

  private let limits: TimeLimits
  private var upward = ByteFlow()
  private var downward = ByteFlow()
  private var hasShutDownProgram = false
  private var hasShutDownClient = false
  private var upwardCount = 0
  private var downwardCount = 0
  private var hasReceived = false
  /// Since when nobody has got on, CLOCK_MONOTONIC nanoseconds.
  private var quietSince = Clock.monotonic()

  init(limits: TimeLimits) { self.limits = limits }

  /// Runs until both have ended, or the program is gone; the limit that ended it, if one did.
  mutating func run(client: inout Connection, program: borrowing Descriptor) -> Waiting? {
    while !(downward.hasEnded && downward.isEmpty && upward.hasEnded && upward.isEmpty) {
      let waiting: Waiting = hasReceived || limits.firstByte == nil ? .idle : .firstByte
      let limit = waiting == .firstByte ? limits.firstByte : limits.idle
      var left: CInt = -1
      if let limit {
        let nanoseconds = limit.nanoseconds - (Clock.monotonic() - quietSince)
        if nanoseconds <= 0 { return waiting }
        left = CInt(clamping: nanoseconds / 1_000_000 + 1)
      }
      carry(client: &client, program: program, milliseconds: left)
    }
    return nil
  }

  private mutating func carry(client: inout Connection, program: borrowing Descriptor, milliseconds: CInt) {
    // A side with nothing to do is left out: its hang-up would wake us for ever.  The program's own hang-up matters only
    // while the client is all that is waited for.
    let clientWants = (upward.wantsMore ? POLLIN : 0) | (downward.isEmpty ? 0 : POLLOUT)
    let programWants = (downward.wantsMore ? POLLIN : 0) | (upward.isEmpty ? 0 : POLLOUT)
    let isProgramWatched = programWants != 0 || downward.hasEnded && downward.isEmpty
    var queries = (
      pollfd(fd: clientWants == 0 ? -1 : client.inputNumber, events: Int16(clientWants), revents: 0),
      pollfd(fd: isProgramWatched ? program.number : -1, events: Int16(programWants), revents: 0)
    )
    withUnsafeMutableBytes(of: &queries) { bytes in
      _ = poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, milliseconds)
    }
    if queries.0.revents != 0 {
      receive(from: &client)
      send(to: &client)
    }
    if queries.1.revents != 0 {
      receive(from: program)
      send(to: program, hasHungUp: queries.1.revents & Int16(POLLHUP) != 0)
    }
    // What came in is passed on in the same turn, without another question.
    if !downward.isEmpty { send(to: &client) }
    if !upward.isEmpty { send(to: program, hasHungUp: false) }
    passEndsOn(client: &client, program: program)
  }

  private mutating func receive(from client: inout Connection) {
    guard upward.wantsMore else { return }
    do throws(Errno) {
      var isRecord = !hasReceived
      try upward.fill { (buffer) throws(Errno) in
        let count = try client.receiveNow(into: buffer)
        if RelayPump.endsRecord(UnsafeRawBufferPointer(rebasing: buffer[..<count]), &upwardCount) { isRecord = true }
        return count
      }
      guard !upward.isEmpty else { return }
      hasReceived = true
      if isRecord { quietSince = Clock.monotonic() }
    } catch { upward.abandon() }
  }

  private mutating func send(to client: inout Connection) {
    guard !downward.isEmpty else { return }
    do throws(Errno) {
      var isRecord = false
      try downward.drain { (bytes) throws(Errno) in
        let count = try client.sendNow(bytes)
        isRecord = RelayPump.endsRecord(UnsafeRawBufferPointer(rebasing: bytes[..<count]), &downwardCount)
        return count
      }
      if isRecord { quietSince = Clock.monotonic() }
    } catch {
      // The client is gone: its program gets the end of its input, and its output is for nobody.
      downward.abandon()
      upward.abandon()
    }
  }

  /// Whether the bytes bring a record to its end.
  ///
  /// - Parameter count: of bytes since the last one's end.
  private static func endsRecord(_ bytes: UnsafeRawBufferPointer, _ count: inout Int) -> Bool {
    count += bytes.count
    guard let start = bytes.baseAddress else { return false }
    guard count >= recordSize || memchr(start, CInt(UInt8(ascii: "\n")), bytes.count) != nil else { return false }
    count = 0
    return true
  }

  private mutating func receive(from program: borrowing Descriptor) {
    do throws(Errno) {
      try downward.fill { (buffer) throws(Errno) in try program.receive(into: buffer, waiting: false) }
    } catch { downward.abandon() }
  }

  private mutating func send(to program: borrowing Descriptor, hasHungUp: Bool) {
    do throws(Errno) {
      try upward.drain { (bytes) throws(Errno) in try program.send(bytes, waiting: false) }
    } catch { upward.abandon() }
    // Nobody has the other end any more.
    if hasHungUp, downward.hasEnded { upward.abandon() }
  }

  private mutating func passEndsOn(client: inout Connection, program: borrowing Descriptor) {
    if upward.hasEnded, upward.isEmpty, !hasShutDownProgram {
      hasShutDownProgram = true
      try? program.shutDownSending()
    }
    if downward.hasEnded, downward.isEmpty, !hasShutDownClient {
      hasShutDownClient = true
      client.endReply()
    }
  }
}
