extension Signal {
  /// The kernel's action for a signal whose disposition is `.default`.
  ///
  /// Source: signal(7).
  public enum DefaultAction: Hashable, Sendable {
    /// The process ends.
    case terminate
    /// The process ends and leaves an image of its memory, if `ResourceLimit.coreSize` allows it: core(5).
    case dumpCore
    /// All threads of the process stop until SIGCONT.
    case stop
    /// A stopped process continues; a running one is not affected.
    case `continue`
    /// Nothing happens.
    case ignore
  }

  /// The kernel's action for this signal where its disposition is `.default`.
  public var defaultAction: DefaultAction {
    switch self {
    case .quit, .illegalInstruction, .trap, .abort, .busError, .floatingPointError, .segmentationFault,
      .processorTimeLimit, .fileSizeLimit, .badSystemCall:
      .dumpCore
    case .stop, .terminalStop, .backgroundRead, .backgroundWrite: .stop
    case .continue: .continue
    case .child, .urgentData, .windowChange: .ignore
    default: .terminate
    }
  }
}
