import CPlatform

extension Signal {
  /// Runs the body with another disposition of some signals, and restores the former ones on every way out of it.
  ///
  /// The former action is restored to the last flag, a handler of another library too.  Scopes nest.  A disposition belongs
  /// to the whole process: two threads must not have such scopes of one signal at the same time.
  ///
  /// - Parameter disposition: the disposition during the body.
  /// - Parameter signals: the signals that it is set for.
  /// - Parameter restartingCalls: as in `setDisposition`.
  /// - Throws: the body's error; `SystemCallError`, `EINVAL`, for a signal whose disposition cannot be set, such as SIGKILL:
  ///   then nothing is changed and the body does not run.
  ///
  /// Source: sigaction(2).
  public static func withDisposition<Result: ~Copyable>(
    _ disposition: SignalDisposition, for signals: Signal..., restartingCalls: Bool = false,
    _ body: () throws -> Result
  ) throws -> Result {
    try withDisposition(disposition, for: signals, restartingCalls: restartingCalls, body)
  }

  /// Runs the body with another disposition of a set, or any other sequence, of signals, and restores the former ones on
  /// every way out of it.
  ///
  /// - Parameter disposition: the disposition during the body.
  /// - Parameter signals: the signals that it is set for.
  /// - Parameter restartingCalls: as in `setDisposition`.
  /// - Throws: as with single signals.
  public static func withDisposition<Result: ~Copyable>(
    _ disposition: SignalDisposition, for signals: some Sequence<Signal>, restartingCalls: Bool = false,
    _ body: () throws -> Result
  ) throws -> Result {
    var saved: [(signal: Signal, action: platform_disposition)] = []
    defer {
      // Backwards: a signal that was named twice gets what it had at first.
      for (signal, action) in saved.reversed() {
        withUnsafePointer(to: action) { _ = platform_put_back_disposition(signal.rawValue, $0) }
      }
    }
    for signal in signals {
      var action = platform_disposition()
      _ = try check("sigaction", on: "\(signal)") { platform_save_disposition(signal.rawValue, &action) }
      try signal.setDisposition(disposition, restartingCalls: restartingCalls)
      saved.append((signal, action))
    }
    return try body()
  }
}
