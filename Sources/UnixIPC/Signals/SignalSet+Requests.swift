extension SignalSet {
  /// The signals by which a terminal, a shell or a service manager asks a process to end: HUP, INT, QUIT and TERM;
  /// without those that the process was told to ignore when it was started, as `nohup` and a shell's `&` do.
  ///
  /// Source: signal(7), nohup(1).
  public static var requestsToEnd: SignalSet {
    SignalSet([.hangUp, .interrupt, .quit, .terminate].filter { (try? $0.disposition) != .ignored })
  }
}
