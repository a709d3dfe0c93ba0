import Confinement

extension Configuration {
  /// What the machine lacks for the sandboxes of services: a line for each.
  ///
  /// It is a matter of the machine, not of a file, and is logged at the start alone: a reload repeats no line.
  public var sandboxWarnings: [String] {
    services.contains { $0.settings.sandbox != .off && !$0.settings.program.allowSetUserID }
      ? KernelSupport.current.warnings : []
  }
}
