import Control
import Glibc
@_spi(Begat) import UnixCore

/// One of the two control sockets: what a request may do is decided by the socket that it comes through.
///
/// Peers' user numbers would not do: in a user namespace all users from outside have one number.
final class ControlDoor {
  let socket: ListeningSocket
  let path: String
  let file: UnixSocketFile
  /// Whether it takes every request; else only those that change nothing.
  let takesOrders: Bool
  /// Whether requests of other users than root are refused.
  var obeysRootOnly = false
  /// Whether the poller watches it: it does not while there is no room for a peer.
  var isWatched = false
  /// Peers that are connected through it.
  var peerCount = 0
  /// When accepting is tried again after the machine ran short of something, CLOCK_MONOTONIC nanoseconds.
  var retryTime: Int64?

  convenience init(_ opened: consuming ListeningUnixSocket, path: String, takesOrders: Bool) {
    let file = opened.file
    self.init(opened.socket, file: file, path: path, takesOrders: takesOrders)
  }

  init(_ socket: consuming ListeningSocket, file: UnixSocketFile, path: String, takesOrders: Bool) {
    self.file = file
    self.socket = socket
    self.path = path
    self.takesOrders = takesOrders
  }

  /// The connection that waits.
  ///
  /// - Throws: `EAGAIN` when none waits.
  func accept() throws(SystemCallError) -> Descriptor {
    var peer = RawSocketAddress()
    return try socket.accept(peer: &peer)
  }

  /// Why a user's requests are refused here; nil if they are not.
  ///
  /// - Parameter user: nil where the kernel does not name one.
  func refusal(of user: uid_t?) -> ControlFailure? {
    guard obeysRootOnly else { return nil }
    if user == 0 || user != nil && user == UserNamespace.unmappedUser { return nil }
    return ControlFailure(
      "only root may command this begatd, because programs of its services run under its own user: use sudo, or "
        + "ExecReload=+/usr/bin/begat reload in a unit")
  }

  func removeFile() { file.removeIfOurs() }
}

/// The user namespace of this process.
enum UserNamespace {
  /// The number that users outside have, where this is not the machine's first namespace (`PrivateUsers=`).
  ///
  /// A process outside that could connect to a socket of mode 0600 has the rights of root there.
  ///
  /// Source: user_namespaces(7), "Unmapped user and group IDs".
  static let unmappedUser: uid_t? = {
    guard let map = try? Descriptor.open("/proc/self/uid_map", .readOnly).readPrefix(256),
      String(decoding: map, as: UTF8.self).split(whereSeparator: \.isWhitespace) != ["0", "0", "4294967295"],
      let text = try? Descriptor.open("/proc/sys/kernel/overflowuid", .readOnly).readPrefix(32)
    else { return nil }
    return uid_t(String(decoding: text, as: UTF8.self).prefix(while: \.isNumber))
  }()
}
