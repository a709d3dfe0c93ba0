import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// Where begatd can be spoken to, resolved on this machine.
public struct ControlSockets: Hashable, Sendable {
  /// The path of the socket that takes every request.
  public var ordersPath: String
  /// The path of the socket that takes questions only.
  public var questionsPath: String
  /// The group whose members may ask questions; nil for begatd's user and root only.
  public var group: gid_t?
  /// Whether no file chose the path, so that begatd may do without the sockets.
  public var isDefault: Bool

  /// Bytes of a path in the address of a Unix socket.
  private static let maxPathLength = 107

  /// - Returns: nil where the configuration wants none, and where it is wrong.
  static func resolve(
    _ settings: DaemonSettings, _ keys: MentionedKeys, runtimeDirectory: String, problems: inout ProblemCollector
  ) -> ControlSockets? {
    var sockets: ControlSockets?
    if settings.controlSocket != DaemonSettings.noControlSocket, !keys.faulty.contains("control-socket") {
      sockets = ControlSockets(settings, keys, runtimeDirectory, problems: &problems)
    }
    guard let name = settings.controlGroup, let setting = keys["control-group"] else { return sockets }
    guard let group = Users.findGroup(name) else {
      problems.add(setting.problem(ValueProblem("no group \(quoted(name)) on this machine")))
      return nil
    }
    if sockets == nil, settings.controlSocket == DaemonSettings.noControlSocket {
      problems.add(setting.problem(ValueProblem("has no effect without a control socket; remove it")))
    }
    sockets?.group = group
    return sockets
  }

  private init?(
    _ settings: DaemonSettings, _ keys: MentionedKeys, _ runtimeDirectory: String, problems: inout ProblemCollector
  ) {
    let text = settings.controlSocket
    ordersPath = text.hasPrefix("%t/") ? runtimeDirectory + text.dropFirst(2) : text
    questionsPath = DaemonSettings.questionsPath(beside: ordersPath)
    isDefault = keys["control-socket"] == nil
    let length = max(ordersPath.utf8.count, questionsPath.utf8.count)
    guard length > ControlSockets.maxPathLength, let setting = keys["control-socket"] else { return }
    problems.add(
      setting.problem(
        ValueProblem(
          "the path \(printable(ordersPath)), or that of the socket for questions beside it, has \(length) bytes; a Unix socket's has at most "
            + "\(ControlSockets.maxPathLength)")))
    return nil
  }
}
