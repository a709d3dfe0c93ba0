import Glibc
import NetworkServices
import UnixIPC

/// A program behind a process that carries the bytes between it and its client, counts them, and watches the time.
///
/// The program has one socket as its input and output.  Each side's end of sending is passed on, and the other direction
/// goes on.
struct RelayService: NetworkService {
  private let program: PreparedProgram
  /// Where the program's standard error goes.
  private let errors: CInt

  /// - Parameter program: stays in the process group of whoever starts it.
  /// - Parameter errors: an open descriptor.
  init(program: PreparedProgram, errors: CInt) {
    self.program = program
    self.errors = errors
  }

  func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    // The program is in the same group.  What ends it there must not end this process before it: SIGKILL does both.
    do throws(CallFailure) { try ProcessControl.leadGroup() } catch { throw .call(error.errno) }
    SignalSet(.terminate, .interrupt, .hangUp, .child).becomeMask()
    let stops: SignalQueue
    do throws(CallFailure) { stops = try SignalQueue(SignalSet(.terminate)) } catch { throw .call(error.errno) }
    let running: RunningProgram
    do throws(CallFailure) { running = try start(for: connection.clientVariables) } catch {
      Descriptor.withLent(errors) { log in try? log.writeAll("\(error)\n") }
      // As shells tell it.
      throw .exited(127)
    }
    var pump = RelayPump(limits: connection.limits)
    switch pump.run(client: &connection, program: running.stream, stop: stops.descriptor.number) {
    case .limit(let limit): return end(running, &connection, limit)
    case .stopped: break
    case .complete:
      // A program that has closed its streams and lives on keeps its client's place as long as an idle client does.
      switch awaitEnd(of: running.process, until: connection.limits.idle.map { Deadline(after: $0) } ?? .never) {
      case nil: return end(running, &connection, .idle)
      case .stopped: break
      case .exited(.exited(0)): return
      case .exited(.exited(let code)): throw .exited(UInt8(truncatingIfNeeded: code))
      // As shells tell it.
      case .exited(.killed(let signal, _)): throw .exited(UInt8(truncatingIfNeeded: 128 + signal.rawValue))
      }
    }
    throw stop(running, &pump, &connection)
  }

  private enum Awaited {
    case exited(ExitStatus)
    /// This process is to end.
    case stopped
  }

  /// Waits for the program's end or for SIGTERM; nil at the deadline.
  private func awaitEnd(of process: pid_t, until deadline: Deadline) -> Awaited? {
    let news = SignalSet(.terminate, .child)
    while true {
      if let status = Children.reap(process) { return .exited(status) }
      guard let arrival = news.wait(until: deadline) else { return nil }
      if arrival.signal == .terminate { return .stopped }
    }
  }

  /// Ends this process because it was told to: the program may tidy up and say its last words before, for a bounded time.
  private func stop(
    _ running: borrowing RunningProgram, _ pump: inout RelayPump, _ connection: inout Connection
  ) -> ConnectionFailure {
    let deadline = Deadline(after: RelayService.patience)
    let group = getpgrp()
    // Blocked here, so that it ends the others.
    try? Signal.terminate.send(toGroup: group)
    pump.finish(client: &connection, program: running.stream, until: deadline)
    _ = Children.awaitEnd(running.process, within: deadline.left ?? .zero)
    connection.endSoon()
    connection.finish()
    // What is left of the group ends with it, and this process by the signal that it got.
    if (try? ProcessControl.join(group: ProcessControl.group(of: getppid()))) != nil {
      try? Signal.kill.send(toGroup: group)
    }
    return ProcessEnd.by(.terminate)
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
