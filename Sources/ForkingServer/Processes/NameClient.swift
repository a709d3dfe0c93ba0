import ControlProtocol
import NetworkServices
import UnixIPC

/// Asks for hosts' names: the cache first, then the resolver, for a bounded time.
final class NameClient: PeerNames {
  /// No client waits longer for its own name.
  private static let longestWait: Int64 = 500_000_000

  private let cache: NameCache
  private let requests: Descriptor

  init(cache: consuming NameCache, requests: consuming Descriptor) {
    self.cache = cache
    self.requests = requests
  }

  var socketNumber: CInt { requests.number }

  func name(of address: SocketAddress) -> String? {
    guard let key = NameCache.Key(address) else { return nil }
    let deadline = Clock.monotonic() + NameClient.longestWait
    var hasAsked = false
    while true {
      let sequence = cache.sequence(for: key)
      switch cache.look(key) {
      case .name(let name): return name
      case .nameless: return nil
      case .unknown: break
      }
      if !hasAsked {
        // A resolver that is behind gets no more work: the address will do.
        guard key.send(on: requests) else { return nil }
        hasAsked = true
      }
      let left = deadline - Clock.monotonic()
      guard left > 0, cache.wait(for: key, unlessChangedFrom: sequence, nanoseconds: left) else { return nil }
    }
  }
}
