import Glibc
import NameService
import UnixIPC

/// A connection and which of its target's addresses took it.
struct Connected: ~Copyable {
  let socket: Descriptor
  let address: SocketAddress
}

/// Why no address of a target could be reached: one line for each that was tried.
struct Unreachable: Error {
  let reasons: [String]
}

extension ConnectionTarget {
  /// Connects to the first address that answers, each tried for at most `limit`.
  func connect(within limit: Duration) throws(Unreachable) -> Connected {
    let addresses: [SocketAddress]
    do throws(Hosts.Failure) { addresses = try self.addresses() } catch { throw Unreachable(reasons: ["\(error)"]) }
    var reasons: [String] = []
    for address in addresses {
      do throws(CallFailure) {
        return Connected(socket: try ClientSocket.open(to: address, within: limit), address: address)
      } catch { reasons.append("\(error)") }
    }
    throw Unreachable(reasons: reasons)
  }
}

extension ClientSocket {
  /// Connects to one address within a time.  The socket is non-blocking.
  ///
  /// A Unix socket whose backlog is full says `EAGAIN` at once, where TCP waits: so we wait ourselves.
  static func open(to address: SocketAddress, from source: SocketAddress? = nil, within limit: Duration)
    throws(CallFailure) -> Descriptor
  {
    let deadline = Clock.monotonic() + limit.nanoseconds
    while true {
      do throws(CallFailure) {
        let socket = try start(to: address, from: source)
        var query = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
        guard poll(&query, 1, CInt(clamping: limit.nanoseconds / 1_000_000)) > 0 else {
          throw CallFailure("connect", on: address.description, errno: .timedOut)
        }
        try finish(socket, to: address)
        return socket
      } catch {
        guard address.isUnix, error.errno == .wouldBlock, Clock.monotonic() < deadline else { throw error }
        usleep(2000)
      }
    }
  }
}
