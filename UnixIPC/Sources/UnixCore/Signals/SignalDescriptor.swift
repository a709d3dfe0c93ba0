import CPlatform
import Glibc

/// Signals as something to read, in a program with any threads: the choice for `async` code, Dispatch and SwiftNIO.
///
/// A handler in C writes each signal into a pipe, whichever thread it interrupts and whatever that thread's mask is.
/// ``SignalQueue`` in contrast needs the signals blocked in every thread, which a program cannot ensure whose run-time library
/// starts threads of its own.  For exit signals of many children, ``SignalQueue`` is the better one: it has no handler that
/// interrupts calls.
///
/// ```swift
/// let signals = try SignalDescriptor(.terminationRequests)
/// while let arrival = signals.next(cancelledBy: cancellation) {
///   print("asked to end by process \(arrival.process)")
/// }
/// ```
///
/// A signal has one descriptor at a time: a second one for it is refused with `EBUSY`.  While the descriptor exists, other
/// code must not change the disposition of its signals.  When it is dropped, the former dispositions return.
///
/// The pipe usually holds some 3,000 arrivals.  When it is full, each further signal is reported once, without details
/// (`SignalArrival.isIncomplete`), however often it came: no signal is lost altogether.
///
/// Blocking calls that a signal interrupts are restarted (`SA_RESTART`), except for those that never are, such as poll(2) and
/// nanosleep(2), which fail with `EINTR`: signal(7) lists them.  The calls of this library continue in any case.
///
/// A forked process acts as if the descriptor had never been made: its signals meet the former dispositions.  It may make
/// descriptors of its own.
///
/// Source: sigaction(2), pipe(7).
public struct SignalDescriptor: ~Copyable, Sendable {
  /// Readable while a signal waits to be taken.  Read nothing from it, and take until there is nothing left: `take()` does.
  public let descriptor: Descriptor
  /// The signals that it receives.
  public let signals: SignalSet
  private let writer: Descriptor

  /// Receives the signals from now on, and removes them from the calling thread's blocked ones.
  ///
  /// - Throws: `EBUSY` for a signal that has a descriptor already, `EINVAL` for one that cannot be received: SIGKILL,
  ///   SIGSTOP, and SIGSEGV, SIGBUS, SIGFPE and SIGILL, since the faulty instruction would be repeated forever; `EMFILE` or
  ///   `ENFILE` when there is no descriptor left.  Then nothing is changed.
  public init(_ signals: SignalSet) throws(SystemCallError) {
    for fault in [Signal.segmentationFault, .busError, .floatingPointError, .illegalInstruction]
    where signals.contains(fault) {
      throw SystemCallError("sigaction", on: "\(fault)", code: .invalidArgument)
    }
    let ends = try PipeEnds()
    try ends.readEnd.setNonBlocking(true)
    try ends.writeEnd.setNonBlocking(true)
    var refused: CInt = 0
    do throws(SystemCallError) {
      _ = try check("sigaction") { platform_receive_signals(signals.bits, ends.writeEnd.number, &refused) }
    } catch {
      throw SystemCallError("sigaction", on: refused == 0 ? nil : "\(Signal(rawValue: refused))", code: error.code)
    }
    self.signals = signals
    descriptor = ends.readEnd
    writer = ends.writeEnd
    signals.unblock()
  }

  deinit { platform_stop_receiving_signals(signals.bits) }

  /// The next signal that waits to be taken, nil when there is none.  It never waits.
  public func take() -> SignalArrival? {
    var arrival = platform_arrival()
    let size = MemoryLayout<platform_arrival>.size
    while read(descriptor.number, &arrival, size) == size {
      // Signal 0 only says that something did not fit.
      if arrival.signal != 0 { return SignalArrival(arrival) }
    }
    let lost = platform_take_lost_signal(signals.bits)
    return lost == 0 ? nil : SignalArrival(incomplete: Signal(rawValue: lost))
  }

  /// The next signal, after waiting for it; nil at the deadline, also at one of `withDeadline`, or when the wait is
  /// cancelled.
  public func next(until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil) -> SignalArrival? {
    while true {
      if let cancellation, cancellation.isCancelled { return nil }
      if let arrival = take() { return arrival }
      if !descriptor.wait(for: .readable, until: deadline, cancelledBy: cancellation) { return nil }
    }
  }
}
