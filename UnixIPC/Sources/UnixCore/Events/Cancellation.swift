import CPlatform
import Glibc

/// Ends the waits of other threads: each call that was given the cancellation stops waiting as soon as it is cancelled.
///
/// Calls that wait take one as `cancelledBy:`, beside their deadline.  A call that throws then fails with `ECANCELED`.  A
/// cancellation is cancelled once and stays so: a call that begins to wait later ends immediately.  One cancellation may
/// serve any number of calls in any number of threads.
///
/// It is the bridge from the cancellation of a Swift task to a blocking call in a thread pool:
///
/// ```swift
/// let cancellation = try Cancellation()
/// let isReadable = await withTaskCancellationHandler {
///   await withCheckedContinuation { continuation in
///     pool.submit { continuation.resume(returning: socket.wait(for: .readable, cancelledBy: cancellation)) }
///   }
/// } onCancel: {
///   cancellation.cancel()
/// }
/// ```
///
/// A forked process shares its parent's cancellations: cancelling in the one cancels in the other.
///
/// Source: eventfd(2).
public final class Cancellation: Sendable {
  private let event: Descriptor
  private let watch: Watch?
  /// Receives the signals that cancel; nothing is taken from it.
  private let signals: SignalBox?
  /// The descriptor that is readable when it is cancelled, for those that wait with poll(2).
  ///
  /// It stays this object's own, which must be kept alive during the wait.
  package let number: CInt

  /// The event and another descriptor as one descriptor, readable when either is.
  private struct Watch: ~Copyable, Sendable {
    let poller: Poller
    /// Kept open: the poller forgets an open file when its last descriptor is closed.
    let source: Descriptor

    init(event: borrowing Descriptor, source: borrowing Descriptor) throws(SystemCallError) {
      let poller = try Poller()
      let duplicate = try source.duplicate()
      try poller.add(event, .readable, token: 0)
      try poller.add(duplicate, .readable, token: 1)
      self.poller = poller
      self.source = duplicate
    }
  }

  /// Makes a cancellation that only `cancel()` sets off.
  ///
  /// - Throws: `EMFILE` or `ENFILE` when there is no descriptor left.
  public init() throws(SystemCallError) {
    event = try Cancellation.makeEvent()
    watch = nil
    signals = nil
    number = event.number
  }

  /// Makes a cancellation that the arrival of a signal sets off, beside `cancel()`.
  ///
  /// With it, a program ends where it waits, and leaves nothing behind:
  ///
  /// ```swift
  /// CommandLineProgram.run {
  ///   let end = try Cancellation(on: .terminationRequests)
  ///   var server = try FIFOServer(at: path)
  ///   while !end.isCancelled { _ = try server.serve(cancelledBy: end) { "a text\n" } }
  /// }
  /// ```
  ///
  /// The signals are received by a ``SignalDescriptor``, in a program with any threads, as long as this object lives; the
  /// former dispositions return then.  They end nothing else meanwhile: a program that waits without this cancellation does
  /// not see them.
  ///
  /// - Throws: as ``SignalDescriptor/init(_:)``: `EBUSY` for a signal that has a descriptor already.
  ///
  /// Source: sigaction(2), epoll(7).
  public convenience init(on signals: SignalSet) throws(SystemCallError) {
    try self.init(SignalBox(signals))
  }

  private init(_ signals: SignalBox) throws(SystemCallError) {
    let event = try Cancellation.makeEvent()
    let watch = try Watch(event: event, source: signals.descriptor.descriptor)
    self.event = event
    self.signals = signals
    number = watch.poller.descriptor.number
    self.watch = consume watch
  }

  private final class SignalBox: Sendable {
    let descriptor: SignalDescriptor
    init(_ signals: SignalSet) throws(SystemCallError) { descriptor = try SignalDescriptor(signals) }
  }

  /// Makes a cancellation that `cancel()` sets off, and that also holds as long as a descriptor is readable.
  ///
  /// With the descriptor of a ``SignalQueue``, a signal that waits to be taken ends the calls.  The end of a file and a
  /// hang-up count as readable.  The descriptor is duplicated: its owner may close it afterwards.
  ///
  /// - Throws: `EPERM` for a file that is always readable, such as a regular file; `EMFILE` or `ENFILE` when there is no
  ///   descriptor left.
  ///
  /// Source: epoll(7).
  public init(whenReadable source: borrowing Descriptor) throws(SystemCallError) {
    let event = try Cancellation.makeEvent()
    let watch = try Watch(event: event, source: source)
    self.event = event
    signals = nil
    number = watch.poller.descriptor.number
    self.watch = consume watch
  }

  /// An event that nothing has set off yet.
  static func makeEvent() throws(SystemCallError) -> Descriptor {
    Descriptor(owning: try check("eventfd") { eventfd(0, closeOnExecFlag | nonBlockingFlag) })
  }

  /// Ends all waits that this cancellation was given to, now and later.  It never blocks, and any thread may call it.
  public func cancel() {
    // It fails only at the counter's greatest value, and then it is readable already.
    _ = eventfd_write(event.number, 1)
  }

  /// Whether it was cancelled, or the descriptor that it watches is readable at present.
  public var isCancelled: Bool {
    !PollSet.readiness(of: number, for: .readable).isEmpty
  }
}
