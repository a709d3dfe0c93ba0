extension Signal {
  /// What the kernel does to a process that has not said otherwise.
  ///
  /// Source: signal(7).
  public enum DefaultAction: Hashable, Sendable {
    case terminate
    /// Ends the process and leaves an image of its memory, where `ResourceLimit.coreSize` allows it: core(5).
    case dumpCore
    /// Stops all threads of the process until SIGCONT.
    case stop
    /// A stopped process goes on; nothing happens to another.
    case resume
    case ignore
  }

  /// What it does where its disposition is `.standard`.
  public var defaultAction: DefaultAction {
    switch self {
    case .quit, .illegalInstruction, .trap, .abort, .busError, .floatingPointError, .segmentationFault,
      .processorTimeLimit, .fileSizeLimit, .badSystemCall:
      .dumpCore
    case .stop, .terminalStop, .backgroundRead, .backgroundWrite: .stop
    case .resume: .resume
    case .child, .urgentData, .windowChange: .ignore
    default: .terminate
    }
  }
}
