import CPlatform
import Glibc

/// The effect of a signal that arrives at this process, for all its threads and for the processes that it forks.
///
/// exec keeps `.ignored` and resets a handler to `.default`; `Program.start` resets both.
///
/// Source: signal(7), sigaction(2).
public enum SignalDisposition: Sendable {
  /// A C function, called between any two instructions of any thread.
  ///
  /// It may call what signal-safety(7) lists, and write to lock-free atomics.  Nothing of Swift's run-time library is safe
  /// there: no allocation, no class, no closure with a context, no `String`, no lock, and no error is thrown out of it.
  public typealias Handler = @Sendable @convention(c) (CInt) -> Void

  /// `SIG_DFL`: the signal's `defaultAction`.
  case `default`
  /// `SIG_IGN`: discarded on arrival, unless it is blocked.
  case ignored
  /// Counted, and nothing else: `Signal.count` is the number of arrivals.  Raw blocking calls fail with `EINTR`.
  ///
  /// Not for a signal that the processor raises (SIGSEGV, SIGILL): the faulty instruction would be repeated forever.
  case counted
  /// Handled by a C function.  For experts: work that can be done later is better done with `.counted`,
  /// ``SignalDescriptor``, ``SignalQueue`` or `SignalSet.wait`.
  case handled(by: Handler)
}

extension SignalDisposition: Equatable {
  /// Whether both are the same; handlers are the same if they are one function.
  public static func == (one: SignalDisposition, other: SignalDisposition) -> Bool {
    switch (one, other) {
    case (.default, .default), (.ignored, .ignored), (.counted, .counted): true
    case (.handled(let one), .handled(let other)):
      unsafeBitCast(one, to: Int.self) == unsafeBitCast(other, to: Int.self)
    default: false
    }
  }
}

extension SignalDisposition: CustomStringConvertible, CustomReflectable {
  /// The name of the case, such as "ignored".
  public var description: String {
    switch self {
    case .default: "default"
    case .ignored: "ignored"
    case .counted: "counted"
    case .handled: "handled"
    }
  }

  /// A mirror without children: reflecting a C function crashes the run-time library of Swift 6.3.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Signal {
  /// The present disposition of the signal.
  ///
  /// A handler that other code has set may take more arguments than a `Handler`, and has flags of its own: to restore it
  /// later, use `withDisposition`, which keeps all of it.
  ///
  /// - Throws: `EINVAL` for a number that is no signal.
  ///
  /// Source: sigaction(2).
  public var disposition: SignalDisposition {
    get throws(SystemCallError) {
      var handler: SignalDisposition.Handler?
      let kind = try check("sigaction", on: "\(self)") {
        var native: platform_signal_handler?
        let kind = platform_disposition(rawValue, &native)
        handler = unsafeBitCast(native, to: SignalDisposition.Handler?.self)
        return kind
      }
      switch (kind, handler) {
      case (CInt(PLATFORM_IGNORED), _): return .ignored
      case (CInt(PLATFORM_COUNTED), _): return .counted
      case (CInt(PLATFORM_HANDLED), .some(let handler)): return .handled(by: handler)
      default: return .default
      }
    }
  }

  /// Sets the disposition of the signal for the whole process, from now on.
  ///
  /// - Parameter disposition: the new disposition.
  /// - Parameter restartingCalls: whether a blocking call that a handler interrupted is restarted (`SA_RESTART`) instead of
  ///   failing with `EINTR`.  The waiting calls of this library continue in any case, with the rest of their time.
  /// - Throws: `EINVAL` for SIGKILL and SIGSTOP, for the signals that the C library and this one keep for themselves, and
  ///   for a number that is no signal.
  ///
  /// Source: sigaction(2).
  public func setDisposition(_ disposition: SignalDisposition, restartingCalls: Bool = false) throws(SystemCallError) {
    if interruptsCalls { throw SystemCallError("sigaction", on: "\(self)", code: .invalidArgument) }
    let handler: platform_signal_handler? =
      switch disposition {
      case .default: SIG_DFL
      case .ignored: SIG_IGN
      case .counted: platform_count_signal
      case .handled(let handler): handler
      }
    _ = try check("sigaction", on: "\(self)") { platform_set_disposition(rawValue, handler, restartingCalls) }
  }

  /// The number of arrivals of the signal while its disposition was `.counted`, since the process began; never reset.
  ///
  /// A standard signal that is sent again before it has arrived is counted once.  A forked process continues its parent's
  /// count.  A program that reads the count and then blocks may miss a signal in between: `SignalSet.wait`,
  /// ``SignalQueue`` and ``SignalDescriptor`` have no such gap.
  public var count: UInt64 { platform_signal_count(rawValue) }

  /// Discards the signal from now on; for SIGKILL and SIGSTOP nothing happens.
  public func ignore() { try? setDisposition(.ignored) }

  /// Restores the signal's default action; for SIGKILL and SIGSTOP nothing happens.
  public func restoreDefault() { try? setDisposition(.default) }
}
