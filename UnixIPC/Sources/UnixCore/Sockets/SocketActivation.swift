import Glibc

/// Sockets that a service manager opened and passed on.
///
/// Source: sd_listen_fds(3).
public enum SocketActivation {
  /// A passed descriptor, from 3 upwards, with the name that the manager gave it.
  public struct PassedSocket: Sendable, Hashable {
    public let number: CInt
    public let name: String
  }

  /// Why the variables cannot be believed.
  public enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
    case badCount(String)
    case notOpen(CInt)

    public var description: String {
      switch self {
      case .badCount(let text): "LISTEN_FDS=\(escaped(text.utf8)): not a number of descriptors"
      case .notOpen(let number): "LISTEN_FDS: descriptor \(number) was announced and is not open"
      }
    }
  }

  /// The descriptors passed to this process; none when the variables are absent or meant for another process.
  ///
  /// The variables are removed from the environment, the descriptors become close-on-exec.  Closing them is up to the
  /// caller.
  public static func take() throws(Problem) -> [PassedSocket] {
    let process = variable("LISTEN_PID")
    let count = variable("LISTEN_FDS")
    let names = variable("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false) ?? []
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }

    guard let count, let process, pid_t(decimal: process) == getpid() else { return [] }
    guard let number = CInt(decimal: count), number < 1 << 20 else { throw .badCount(count) }
    var sockets: [PassedSocket] = []
    for index in 0..<number {
      guard fcntl(3 + index, F_SETFD, FD_CLOEXEC) != -1 else { throw .notOpen(3 + index) }
      let name = Int(index) < names.count ? String(names[Int(index)]) : "unknown"
      sockets.append(PassedSocket(number: 3 + index, name: name))
    }
    return sockets
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
