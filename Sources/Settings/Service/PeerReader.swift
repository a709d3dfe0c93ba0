import Admission
@_spi(Begat) import UnixCore

/// Reads entries of `allow` and `deny`.
public struct PeerReader {
  let lookups: any MachineLookups

  public init(_ lookups: any MachineLookups) { self.lookups = lookups }

  /// Reads `192.0.2.0/24`, `2001:db8::1`, `unix:USER` or `unix:*`.
  public func read(_ text: String) throws(ValueProblems) -> AccessPeer {
    if text.hasPrefix("unix:") {
      let name = String(text.dropFirst(5))
      if name == "*" { return .anyUser }
      guard let user = name.isEmpty ? nil : lookups.userNumber(name) else {
        throw ValueProblems(
          name.isEmpty ? "expected unix:USER or unix:*, found \"unix:\"" : "no user \(quoted(name)) on this machine")
      }
      return .user(user)
    }
    do throws(IPNetwork.Problem) { return .network(try IPNetwork(parsing: text)) } catch {
      switch error {
      case .hostBits: throw ValueProblems("\(quoted(text)): \(error)")
      case .malformed: throw ValueProblems("\(error), or unix:USER, found \(quoted(text))")
      }
    }
  }
}
