/// A listener of a service.
public struct ListenerStatus: Hashable, Sendable {
  public enum Role: String, Sendable, CaseIterable {
    /// It reads its settings and is not accepting yet.
    case starting
    /// It accepts the service's clients.
    case current
    /// It accepts no more clients and serves those that it has.
    case retiring
  }

  public var process: Int32
  /// Its number among the service's listeners, from 1.
  public var generation: UInt64
  public var role: Role
  public var age: Duration
  public var active: UInt64

  public init(process: Int32, generation: UInt64, role: Role, age: Duration, active: UInt64) {
    self.process = process
    self.generation = generation
    self.role = role
    self.age = age
    self.active = active
  }
}
