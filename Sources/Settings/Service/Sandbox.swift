/// Whether a service is confined, beyond its identity, to what it needs.
public enum Sandbox: String, CaseIterable, Sendable {
  case on
  /// The service does not start without filters of system calls and Landlock's file rules.
  case required
  case off
}

extension ServiceSettings {
  /// Whether the service gets a sandbox, as far as the kernel has one.
  public var isConfined: Bool { sandbox != .off && !program.allowSetUserID }
}
