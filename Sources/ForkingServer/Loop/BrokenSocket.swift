import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Repairs listening sockets that do not listen any more.
///
/// All processes that have a socket share it: shutdown(2) by a program that was given it ends listening for begatd and
/// for the listener as well.  A TCP socket keeps its address then, and listen(2) repairs it.
extension Listener {
  /// Whether a stream socket listens, after an attempt to repair it.  If that fails, the listener logs it and ends: its
  /// supervisor may start it with a working socket.
  mutating func isListening(at index: Int) -> Bool {
    let entry = sockets.streams[index]
    guard !entry.socket.isServing else {
      accepting.repairDeadline = nil
      return true
    }
    do throws(SystemCallError) {
      guard let former = SocketAddress(entry.address) else {
        throw SystemCallError("listen", code: .addressNotAvailable)
      }
      if former.isUnix, awaitsRetirement() { return false }
      try entry.socket.listenAgain(at: former, backlog: options.backlog)
      reporter.log(
        .warning,
        "\(address(of: index)): the socket had been shut down, by a program that it was given to; it listens again"
      )
    } catch {
      failed(
        """
        \(address(of: index)): the socket was shut down, by a program that it was given to, and cannot be mended \
        (\(error)); begatd must be restarted to serve it again
        """)
    }
    return false
  }

  /// Whether to wait a moment before a Unix socket counts as broken: begatd shuts one down that is to take no new client,
  /// and then says so.
  private mutating func awaitsRetirement() -> Bool {
    guard reporter.channelNumber != nil else { return false }
    let deadline = accepting.repairDeadline ?? Deadline(after: .seconds(1))
    accepting.repairDeadline = deadline
    guard !deadline.hasPassed else { return false }
    pauseAccepting(.brokenSocket)
    return true
  }

  /// A socket's address for people.
  func address(of index: Int) -> String { sockets.streams[index].address }

  /// Ends the listener as a failed one, because no further attempt would help.  Its connections may go on.
  mutating func failed(_ line: String) {
    guard !hasFailed else { return }
    hasFailed = true
    reporter.log(.error, line)
    if drain == nil { stop() }
  }
}

extension ErrorCode {
  /// Whether an error of accept(2) means that the socket itself is unusable, so that another attempt would fail too.
  var meansUnusableSocket: Bool {
    switch rawValue {
    case EINVAL, ENOTSOCK, EBADF, EFAULT: true
    default: false
    }
  }
}
