extension SignalSet {
  /// The signals by which a terminal, a shell or a service manager requests that a process end: HUP, INT, QUIT and TERM.
  ///
  /// Those that the process was started with as ignored, as `nohup` and a shell's `&` do, are left out.
  ///
  /// Source: signal(7), nohup(1).
  public static var terminationRequests: SignalSet {
    SignalSet([.hangUp, .interrupt, .quit, .terminate].filter { (try? $0.disposition) != .ignored })
  }

  /// The signals that the calling process ignores at present.
  ///
  /// A process starts with those ignored that its parent ignored, and passes them on to the programs that it executes,
  /// unless they are reset (`Program.ignoredSignals`).
  ///
  /// Source: sigaction(2).
  public static var ignored: SignalSet { SignalSet(all.filter { (try? $0.disposition) == .ignored }) }
}
