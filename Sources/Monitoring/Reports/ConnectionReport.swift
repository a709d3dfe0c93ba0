/// The answer to `ps`: open connections.
public struct ConnectionReport: Hashable, Sendable {
  public var connections: [ConnectionStatus]
  /// Further ones that the answer had no room for.
  public var omitted: Int

  public init(_ connections: [ConnectionStatus], omitted: Int = 0) {
    self.connections = connections
    self.omitted = omitted
  }
}
