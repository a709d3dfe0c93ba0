extension SignalSet {
  /// The signals by which a terminal, a shell or a service manager asks a process to end: HUP, INT, QUIT and TERM;
  /// without those that the process was told to ignore when it was started, as `nohup` and a shell's `&` do.
  ///
  /// Source: signal(7), nohup(1).
  public static var terminationRequests: SignalSet {
    SignalSet([.hangUp, .interrupt, .quit, .terminate].filter { (try? $0.disposition) != .ignored })
  }

  /// The signals that the calling process ignores at present: what it ignores at its start it was told to, and whatever
  /// it executes ignores them too, unless somebody resets them (`Program.ignoredSignals`).
  ///
  /// Source: sigaction(2).
  public static var ignored: SignalSet { SignalSet(all.filter { (try? $0.disposition) == .ignored }) }
}
