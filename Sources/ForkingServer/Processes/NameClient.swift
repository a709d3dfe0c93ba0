import ControlProtocol
import NetworkServices
import UnixIPC

/// Asks for hosts' names: the cache first, then the resolver, for a bounded time.
final class NameClient: PeerNames {
  /// No client waits longer for its own name.
  private static var longestWait: Duration { .milliseconds(500) }

  private let cache: NameCache
  private let requests: Descriptor

  init(cache: consuming NameCache, requests: consuming Descriptor) {
    self.cache = cache
    self.requests = requests
  }

  var socketNumber: CInt { requests.number }

  func write(nameOf address: SocketAddress, to text: inout ByteWriter) -> Bool {
    guard let key = NameCache.Key(address) else { return false }
    var deadline: Deadline?
    while true {
      let sequence = cache.sequence(for: key)
      switch cache.look(key, writeTo: &text) {
      case .name: return true
      case .nameless: return false
      case .unknown: break
      }
      // A resolver that is behind gets no more work: the address will do.
      if deadline == nil, !key.send(on: requests) { return false }
      let end = deadline ?? Deadline(after: NameClient.longestWait)
      deadline = end
      guard let left = end.left?.nanoseconds, left > 0,
        cache.wait(for: key, unlessChangedFrom: sequence, nanoseconds: left)
      else { return false }
    }
  }
}
