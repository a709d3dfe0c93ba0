import Glibc
import NetworkServices
@_spi(Begat) import UnixCore

/// A program behind a process that carries the bytes between it and its client, counts them, and watches the time.
///
/// The program has one socket as its input and output.  Each side's end of sending is passed on, and the other direction
/// goes on.
struct RelayService: NetworkService {
  private let program: PreparedProgram
  /// Where the program's standard error goes.
  private let errors: CInt

  /// - Parameter program: stays in the process group of the process that starts it.
  /// - Parameter errors: an open descriptor.
  init(program: PreparedProgram, errors: CInt) {
    self.program = program
    self.errors = errors
  }

  func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    // The program is in the same group.  What ends it there must not end this process before it: SIGKILL does both.
    do throws(SystemCallError) { try ProcessControl.leadGroup() } catch { throw .call(error) }
    SignalSet(.terminate, .interrupt, .hangUp, .child).setThreadMask()
    let stops: SignalQueue
    do throws(SystemCallError) { stops = try SignalQueue(SignalSet(.terminate)) } catch { throw .call(error) }
    let running: RunningProgram
    do throws(SystemCallError) { running = try start(for: connection.clientVariables) } catch {
      Descriptor.withBorrowed(errors) { log in try? log.writeAll("\(error)\n") }
      // The status of shells for a command that cannot be run.
      throw .exited(127)
    }
    var pump = RelayPump(limits: connection.limits)
    switch pump.run(client: &connection, program: running.stream, stop: stops.descriptor.number) {
    case .limit(let limit): return end(running, &connection, limit)
    case .stopped: break
    case .complete:
      // A program that has closed its streams and lives on keeps its client's place as long as an idle client does.
      switch waitForExit(of: running.process, until: connection.limits.idle.map { Deadline(after: $0) } ?? .never) {
      case nil: return end(running, &connection, .idle)
      case .stopped: break
      case .exited(.exited(0)): return
      case .exited(.exited(let code)): throw .exited(UInt8(truncatingIfNeeded: code))
      // The status of shells for a command that a signal has ended.
      case .exited(.killed(let signal, _)): throw .exited(UInt8(truncatingIfNeeded: 128 + signal.rawValue))
      case .exited(.unknown): throw .exited(1)
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
  private func waitForExit(of process: pid_t, until deadline: Deadline) -> Awaited? {
    let news = SignalSet(.terminate, .child)
    while true {
      if let status = Children.reap(process) { return .exited(status) }
      guard let arrival = news.wait(until: deadline) else { return nil }
      if arrival.signal == .terminate { return .stopped }
    }
  }

  /// Ends this process because it was told to, after a grace period in which the program may tidy up and send its last
  /// output.
  private func stop(
    _ running: borrowing RunningProgram, _ pump: inout RelayPump, _ connection: inout Connection
  ) -> ConnectionFailure {
    let deadline = Deadline(after: RelayService.gracePeriod)
    let group = getpgrp()
    // Blocked in this process, so that it ends only the others.
    try? Signal.terminate.send(toGroup: group)
    pump.finish(client: &connection, program: running.stream, until: deadline)
    _ = try? Children.waitForExit(of: running.process, until: deadline)
    connection.endSoon()
    connection.finish()
    // What is left of the group ends with it, and this process by the signal that it got.
    if (try? ProcessControl.join(group: ProcessControl.group(of: getppid()))) != nil {
      try? Signal.kill.send(toGroup: group)
    }
    return ProcessEnd.failure(by: .terminate)
  }

  private func start(for client: ClientVariables) throws(SystemCallError) -> RunningProgram {
    let ends = try SocketPair(kind: .stream)
    let outer = ends.second.number
    let child = try program.start(descriptors: [outer, outer, errors]) { client.write(to: &$0) }
    return RunningProgram(process: child, stream: ends.first)
  }

  /// How long a program may take to end when it is told to.
  static let gracePeriod: Duration = .seconds(5)

  /// Ends the connection, the program with all of its group, and this process, which belongs to it.
  private func end(_ running: consuming RunningProgram, _ connection: inout Connection, _ limit: Waiting) {
    connection.cut()
    connection.noteMissed(limit)
    // Before the program finds its client gone: that is not for it to report.
    let group = getpgrp()
    try? Signal.terminate.send(toGroup: group)
    _ = try? Children.waitForExit(of: running.leave(), until: Deadline(after: RelayService.gracePeriod))
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
