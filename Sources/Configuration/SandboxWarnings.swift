import Confinement

extension Configuration {
  /// What the machine lacks for the sandboxes of services: a line for each.
  ///
  /// It is a matter of the machine, not of a file, and is logged at the start alone: a reload repeats no line.
  public var sandboxWarnings: [String] {
    services.contains(where: \.settings.isConfined) ? KernelSupport.current.warnings : []
  }
}
