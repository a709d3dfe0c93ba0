/// Whether programs may use the network by themselves, beside the connection that they serve.
public enum NetworkAccess: String, CaseIterable, Sendable {
  case any
  case none
}
