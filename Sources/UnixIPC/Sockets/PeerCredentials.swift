import CPlatform
import Glibc

/// Who connected to a Unix socket, as the kernel saw it at that moment.
///
/// Source: unix(7), SO_PEERCRED.
public struct PeerCredentials: Hashable, Sendable {
  /// May be another process's number by now: `ProcessHandle(peerOf:)` never means another one.
  public let process: pid_t
  public let user: uid_t
  public let group: gid_t

  /// Credentials that are known already.
  public init(process: pid_t, user: uid_t, group: gid_t) {
    self.process = process
    self.user = user
    self.group = group
  }

  public init(of socket: borrowing Descriptor) throws(CallFailure) {
    var native = platform_credentials()
    _ = try check("getsockopt") { platform_peer_credentials(socket.number, &native) }
    process = native.pid
    user = native.uid
    group = native.gid
  }
}

extension ProcessHandle {
  /// The process that connected to a Unix socket, listened on it, or made the pair.
  ///
  /// - Throws: `ENOPROTOOPT` before Linux 6.5; `ENODATA` where the socket has no such peer, as one of TCP; `ESRCH` or
  ///   `EINVAL`, as the kernel has it, when the peer has ended and was fetched.
  ///
  /// Source: SO_PEERPIDFD in unix(7).
  public init(peerOf socket: borrowing Descriptor) throws(CallFailure) {
    let credentials = try PeerCredentials(of: socket)
    var handle: CInt = -1
    var length = socklen_t(MemoryLayout<CInt>.size)
    _ = try check("getsockopt SO_PEERPIDFD") {
      getsockopt(socket.number, SOL_SOCKET, peerProcessHandle, &handle, &length)
    }
    process = credentials.process
    descriptor = Descriptor(owning: handle)
  }
}
