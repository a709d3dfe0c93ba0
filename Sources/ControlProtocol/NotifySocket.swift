import Glibc
@_spi(Begat) import UnixCore

/// The socket on which a service manager receives messages from the processes that it started.  Each message is one
/// datagram of lines `VARIABLE=VALUE`.
///
/// libsystemd's sd_notify waits while the manager's queue is full, and there is no static library of it.
///
/// Source: sd_notify(3).
public struct NotifySocket: ~Copyable {
  private let address: SocketAddress
  private var socket: Descriptor?

  /// The socket that the environment names; nil if it names none.
  ///
  /// It is connected now if the manager is there, so that a process that may not open sockets later can still use it.
  public init?() {
    guard let name = getenv("NOTIFY_SOCKET") else { return nil }
    self.init(String(cString: name))
  }

  /// - Parameter name: an absolute path, or `@` and an abstract name; others belong to managers of virtual machines.
  public init?(_ name: String) {
    switch name.utf8.first {
    case UInt8(ascii: "/"): address = .unixPath(UnixPath(name))
    case UInt8(ascii: "@"): address = .unixAbstract(Array(name.utf8.dropFirst()))
    default: return nil
    }
    socket = try? NotifySocket.connect(to: address)
  }

  private static func connect(to address: SocketAddress) throws(SystemCallError) -> Descriptor {
    let socket = try Descriptor.socket(family: .unix, kind: .datagram)
    try ClientSocket.connect(socket, to: address)
    return socket
  }

  /// Sends a message, without waiting.
  ///
  /// - Parameter descriptors: descriptors to send with the message.
  /// - Throws: `EAGAIN` while the manager's queue is full; another error where the manager is not there.
  public mutating func send(_ text: String, passing descriptors: [CInt] = []) throws(SystemCallError) {
    var failure = trySend(text, descriptors)
    if let code = failure, NotifySocket.meansGone(code) {
      // A manager that was started anew has another socket at the same place.
      socket = try NotifySocket.connect(to: address)
      failure = trySend(text, descriptors)
    }
    if let failure { throw SystemCallError("send", on: "\(address)", code: failure) }
  }

  /// - Returns: why it was not sent; nil if it was.
  private func trySend(_ text: String, _ descriptors: [CInt]) -> ErrorCode? {
    switch socket {
    case nil: return .socketNotConnected
    case .some(let socket):
      var text = text
      return text.withUTF8 { bytes -> ErrorCode? in
        do throws(SystemCallError) {
          let bytes = UnsafeRawBufferPointer(bytes)
          // The filter of a listener permits send(2), but not sendmsg(2).
          _ =
            try descriptors.isEmpty
            ? socket.send(bytes, waiting: false) : socket.send(bytes, passing: descriptors, waiting: false)
          return nil
        } catch { return error.code }
      }
    }
  }

  private static func meansGone(_ code: ErrorCode) -> Bool {
    code == .connectionRefused || code == .connectionReset || code == .socketNotConnected
  }

  /// Waits until the manager's queue has room.
  ///
  /// - Returns: false at the deadline, or if the manager is not there.
  public func awaitRoom(until deadline: Deadline) -> Bool {
    switch socket {
    case .some(let socket): socket.wait(for: .writable, until: deadline)
    case nil: false
    }
  }
}
