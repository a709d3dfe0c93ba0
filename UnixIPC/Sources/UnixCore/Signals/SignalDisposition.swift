import CPlatform
import Glibc

/// What becomes of a signal that arrives at this process: of all its threads, and of what it forks.
///
/// exec keeps what is ignored and makes `.standard` of what is handled; `Program.start` resets both.
///
/// Source: signal(7), sigaction(2).
public enum SignalDisposition: Sendable {
  /// A function of C, called between any two instructions of any thread: it may call what signal-safety(7) lists, and
  /// write to lock-free atomics.  Nothing of Swift's run-time library is safe there: no allocation, no class, no closure
  /// with a context, no `String`, no lock, and no error is thrown out of it.
  public typealias Handler = @Sendable @convention(c) (CInt) -> Void

  /// `SIG_DFL`: the signal's `defaultAction`.
  case standard
  /// `SIG_IGN`: discarded on arrival, unless it is blocked.
  case ignored
  /// Counted, and nothing else; `Signal.count` tells how often.  Raw blocking calls come back with `EINTR`.
  ///
  /// Not for what the processor raises (SIGSEGV, SIGILL): the faulty instruction is tried again for ever.
  case counted
  /// For experts: whatever can be done later, in the program's own time, is better done with `.counted`, `SignalQueue`
  /// or `SignalSet.wait`.
  case handled(by: Handler)
}

extension SignalDisposition: Equatable {
  public static func == (one: SignalDisposition, other: SignalDisposition) -> Bool {
    switch (one, other) {
    case (.standard, .standard), (.ignored, .ignored), (.counted, .counted): true
    case (.handled(let one), .handled(let other)):
      unsafeBitCast(one, to: Int.self) == unsafeBitCast(other, to: Int.self)
    default: false
    }
  }
}

extension SignalDisposition: CustomStringConvertible, CustomReflectable {
  /// "ignored"
  public var description: String {
    switch self {
    case .standard: "standard"
    case .ignored: "ignored"
    case .counted: "counted"
    case .handled: "handled"
    }
  }

  /// Without children: reflecting a function of C crashes Swift 6.3's run-time library.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Signal {
  /// What becomes of the signal at present.
  ///
  /// A handler that others have set may want more arguments than a `Handler` takes, and has flags of its own: to have
  /// it back later, use `withDisposition`, which keeps it whole.
  ///
  /// - Throws: `EINVAL` for what is no signal.
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
      default: return .standard
      }
    }
  }

  /// Sets what becomes of the signal from now on, in the whole process.
  ///
  /// - Parameter restartingCalls: whether a blocking call that a handler interrupted goes on by itself (`SA_RESTART`)
  ///   instead of failing with `EINTR`.  The calls of this library that wait go on in any case, with what is left of
  ///   their time; `Poller.wait` comes back with nothing.
  /// - Throws: `EINVAL` for SIGKILL and SIGSTOP, for the C library's own signals, and for what is no signal.
  ///
  /// Source: sigaction(2).
  public func setDisposition(_ disposition: SignalDisposition, restartingCalls: Bool = false) throws(SystemCallError) {
    let handler: platform_signal_handler? =
      switch disposition {
      case .standard: SIG_DFL
      case .ignored: SIG_IGN
      case .counted: platform_count_signal
      case .handled(let handler): handler
      }
    _ = try check("sigaction", on: "\(self)") { platform_set_disposition(rawValue, handler, restartingCalls) }
  }

  /// How often the signal has arrived while its disposition was `.counted`, since the process began; never set back.
  ///
  /// A standard signal that is sent again before it has arrived is counted once; a forked process goes on from its
  /// parent's count.  Asking "has it come?" and then blocking leaves a gap in which it may come: `SignalSet.wait` and
  /// `SignalQueue` have none.
  public var count: UInt64 { platform_signal_count(rawValue) }

  /// Discards the signal from now on; for SIGKILL and SIGSTOP nothing happens.
  public func ignore() { try? setDisposition(.ignored) }

  /// Restores the signal's default action; where it has no other, nothing happens.
  public func restoreDefault() { try? setDisposition(.standard) }
}
