import Configuration
import Control
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Why a control socket cannot be opened, and what to do about it.
struct ControlSocketProblem: Error, CustomStringConvertible {
  let description: String
  /// Whether another begatd, or another server, has the path: the same reason as for any other address in use.
  let isInUse: Bool

  init(_ path: String, _ error: UnixSocketFile.BindError) {
    if case .inUse = error {
      isInUse = true
      let process = ControlSocketProblem.server(at: path).map { " (process \($0))" } ?? ""
      description =
        "\(printable(path)): another begatd is running\(process); begat stop ends it, and another RUNTIME_DIRECTORY or "
        + "[daemon] control-socket lets both run"
    } else {
      isInUse = false
      description = "control socket: \(error)"
    }
  }

  init(_ problem: some CustomStringConvertible) {
    isInUse = false
    description = "control socket: \(problem)"
  }

  /// The process that listens at the path.
  private static func server(at path: String) -> pid_t? {
    guard let address = try? RawSocketAddress(.unixPath(UnixPath(path))),
      let probe = try? Descriptor.socket(family: .unix, kind: .stream, isNonBlocking: true),
      address.withPointer({ connect(probe.number, $0, $1) }) == 0
    else { return nil }
    return (try? PeerCredentials(of: probe))?.process
  }
}

extension ControlServer {
  /// More peers than this have to wait until there is room in the backlog.
  private static let backlog: CInt = 128

  /// Opens both sockets; a socket file that a dead begatd left is replaced.
  ///
  /// - Parameter deadline: how long a begatd that is about to end is waited for.
  static func open(_ sockets: ControlSockets, until deadline: Deadline) throws(ControlSocketProblem) -> ControlServer {
    while true {
      do throws(ControlSocketProblem) { return try open(sockets) } catch {
        guard error.isInUse, !deadline.isExpired else { throw error }
        SystemClock.sleep(for: .milliseconds(20))
      }
    }
  }

  private static func open(_ sockets: ControlSockets) throws(ControlSocketProblem) -> ControlServer {
    if sockets.ordersPath.utf8.starts(with: (RuntimeDirectory.path + "/").utf8) {
      do throws(RuntimeDirectory.Refusal) { try RuntimeDirectory.prepare() } catch { throw ControlSocketProblem(error) }
    }
    let orders = try door(sockets.ordersPath, UnixSocketFile.Access(mode: 0o600), takesOrders: true)
    do throws(ControlSocketProblem) {
      let access = UnixSocketFile.Access(mode: sockets.group == nil ? 0o600 : 0o660, group: sockets.group)
      let questions = try door(sockets.questionsPath, access, takesOrders: false)
      do throws(SystemCallError) { return try ControlServer([orders, questions]) } catch {
        questions.removeFile()
        throw ControlSocketProblem(error)
      }
    } catch {
      orders.removeFile()
      throw error
    }
  }

  private static func door(_ path: String, _ access: UnixSocketFile.Access, takesOrders: Bool)
    throws(ControlSocketProblem) -> ControlDoor
  {
    do throws(UnixSocketFile.BindError) {
      let opened = try UnixSocketFile.listen(at: path, backlog: backlog, access: access)
      return ControlDoor(opened, path: path, takesOrders: takesOrders)
    } catch { throw ControlSocketProblem(path, error) }
  }

  /// Whether root alone may command a begatd with this configuration.
  ///
  /// Programs of its services that run under its own user could otherwise command it, and it started more of them.  By
  /// hand, its user could not command it either then; the machine's service manager has root to do so.
  static func obeysRootOnly(_ configuration: Configuration) -> Bool {
    geteuid() != 0 && isStartedByManager && !configuration.servicesOfOwnUser().isEmpty
  }

  /// Whether the machine's service manager has started begatd.  A user's own manager has no root who could command it.
  ///
  /// Source: NOTIFY_SOCKET in sd_notify(3), MANAGERPID in systemd.exec(5).
  private static var isStartedByManager: Bool {
    guard getenv("MANAGERPID") == nil else { return false }
    return getenv("NOTIFY_SOCKET") != nil || ServiceManagerStart.isDirect
  }
}
