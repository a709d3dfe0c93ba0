import Confinement

extension Configuration {
  /// Whether programs of a service may gain what set-user-ID programs gain.
  public var allowsSetUserID: Bool { services.contains { $0.settings.enabled && $0.settings.program.allowSetUserID } }

  /// The sandbox parts that the machine lacks, a line for each.
  ///
  /// It is a matter of the machine, not of a file, and is logged at the start alone: a reload repeats no line.
  public var sandboxWarnings: [String] {
    services.contains(where: \.settings.isConfined) ? KernelSupport.current.warnings : []
  }
}
