import CPlatform
import Glibc

/// A set of signals.
///
/// Source: sigsetops(3).
public struct SignalSet: Sendable {
  var native = sigset_t()

  public init() { sigemptyset(&native) }

  public init(_ signals: Signal...) {
    self.init()
    for signal in signals { insert(signal) }
  }

  /// Every signal that can be blocked.
  public static var all: SignalSet {
    var set = SignalSet()
    sigfillset(&set.native)
    return set
  }

  public mutating func insert(_ signal: Signal) { sigaddset(&native, signal.rawValue) }
  public mutating func remove(_ signal: Signal) { sigdelset(&native, signal.rawValue) }

  public func contains(_ signal: Signal) -> Bool {
    withUnsafePointer(to: native) { sigismember($0, signal.rawValue) == 1 }
  }

  /// Makes this the calling thread's set of blocked signals: they wait, each announced once, until they are taken.
  ///
  /// Source: pthread_sigmask(3).
  public func becomeMask() {
    withUnsafePointer(to: native) { _ = platform_set_signal_mask($0) }
  }

  /// Adds these signals to the calling thread's blocked ones.
  public func block() {
    withUnsafePointer(to: native) { _ = pthread_sigmask(SIG_BLOCK, $0, nil) }
  }
}
