import CPlatform
import Glibc

/// The identity of the process at the other end of a Unix socket, as the kernel saw it when the connection was made.
///
/// Source: unix(7), SO_PEERCRED.
public struct PeerCredentials: Hashable, Sendable {
  /// The number of the process.  Another process may have it by now: `ProcessHandle(peerOf:)` never means another one.
  public let process: pid_t
  /// The effective user.
  public let user: uid_t
  /// The effective group; ``groups(of:)`` gives the supplementary ones.
  public let group: gid_t

  /// Credentials that are known already.
  public init(process: pid_t, user: uid_t, group: gid_t) {
    self.process = process
    self.user = user
    self.group = group
  }

  /// Asks the kernel for the peer of a connected Unix socket.
  public init(of socket: borrowing Descriptor) throws(SystemCallError) {
    let number = socket.number
    var native = platform_credentials()
    _ = try check("getsockopt SO_PEERCRED", onDescriptor: number) { platform_peer_credentials(number, &native) }
    process = native.pid
    user = native.uid
    group = native.gid
  }

  /// The supplementary groups of the process at the other end of a Unix socket.
  ///
  /// - Throws: `ENODATA` where the socket has no such peer.
  ///
  /// Source: SO_PEERGROUPS in unix(7), since Linux 4.13.
  public static func groups(of socket: borrowing Descriptor) throws(SystemCallError) -> [gid_t] {
    let number = socket.number
    var groups = [gid_t](repeating: 0, count: 64)
    while true {
      var length = socklen_t(groups.count * MemoryLayout<gid_t>.size)
      do throws(SystemCallError) {
        _ = try check("getsockopt SO_PEERGROUPS", onDescriptor: number) {
          getsockopt(number, SOL_SOCKET, peerGroups, &groups, &length)
        }
        return Array(groups.prefix(Int(length) / MemoryLayout<gid_t>.size))
      } catch {
        // The kernel has written how much room it needs.
        guard error.code == .outOfRange, Int(length) / MemoryLayout<gid_t>.size > groups.count else { throw error }
        groups = Array(repeating: 0, count: Int(length) / MemoryLayout<gid_t>.size)
      }
    }
  }
}

extension ProcessHandle {
  /// The process that connected to a Unix socket, listened on it, or made the pair.
  ///
  /// - Throws: `ENOPROTOOPT` before Linux 6.5; `ENODATA` where the socket has no such peer, as one of TCP; `ESRCH` or
  ///   `EINVAL`, as the kernel has it, when the peer has ended and was reaped.
  ///
  /// Source: SO_PEERPIDFD in unix(7).
  public init(peerOf socket: borrowing Descriptor) throws(SystemCallError) {
    let credentials = try PeerCredentials(of: socket)
    var handle: CInt = -1
    var length = socklen_t(MemoryLayout<CInt>.size)
    let number = socket.number
    _ = try check("getsockopt SO_PEERPIDFD", onDescriptor: number) {
      getsockopt(number, SOL_SOCKET, peerProcessHandle, &handle, &length)
    }
    self.init(credentials.process, openedAs: Descriptor(owning: handle))
  }
}
