import Glibc

/// Two Unix sockets that are each other's peer: what is sent to one is received from the other, both ways.
///
/// Each is moved out on its own: `let own = pair.first`.
///
/// Source: socketpair(2), unix(7).
@frozen public struct SocketPair: ~Copyable, Sendable {
  /// The one socket.
  public var first: Descriptor
  /// The other one.
  public var second: Descriptor

  /// Opens a pair, close-on-exec.
  ///
  /// - Throws: `EMFILE` or `ENFILE` when there are no descriptors left.
  ///
  /// Source: socketpair(2).
  public init(kind: SocketKind = .stream) throws(SystemCallError) {
    var numbers: (CInt, CInt) = (-1, -1)
    _ = try check("socketpair") {
      withUnsafeMutableBytes(of: &numbers) { raw in
        Glibc.socketpair(
          AF_UNIX, kind.rawValue | closeOnExecFlag, 0, raw.baseAddress!.assumingMemoryBound(to: CInt.self))
      }
    }
    first = Descriptor(owning: numbers.0)
    second = Descriptor(owning: numbers.1)
  }
}
