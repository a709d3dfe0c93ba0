import Configuration
import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// Compares a socket that the service manager bound with the keys by which begatd would have bound it: what a key asks
/// for holds for every socket of the service, or the service is not offered.
struct PassedSocketCheck {
  private let service: ServiceConfiguration

  init(_ service: ServiceConfiguration) { self.service = service }

  /// What the socket lacks, one line each with what to do.  Its backlog is made the service's own.
  ///
  /// `free-bind` asks for nothing any more: the socket is bound.
  func problems(of socket: HeldSocket) -> [String] {
    do throws(SystemCallError) {
      if holds("backlog"), !socket.isDatagram { try socket.descriptor.setBacklog(service.settings.backlog) }
      guard case .unixPath(let path) = socket.address else {
        return socket.address.isUnix ? [] : [try deviceProblem(socket)].compactMap { $0 }
      }
      return try accessProblems(path)
    } catch { return ["the passed socket \(socket.address) cannot be compared with the configuration: \(error)"] }
  }

  private func deviceProblem(_ socket: HeldSocket) throws(SystemCallError) -> String? {
    guard holds("bind-to-device"), let wanted = service.settings.bindToDevice else { return nil }
    let device = try socket.descriptor.boundDevice()
    guard device != wanted else { return nil }
    let found =
      device.map { "takes only what comes through \(printable($0))" } ?? "takes what comes through any interface"
    return problem(socket.address, found, "bind-to-device", printable(wanted), "BindToDevice")
  }

  /// Source: SocketMode=, SocketUser=, SocketGroup= in systemd.socket(5).
  private func accessProblems(_ path: UnixPath) throws(SystemCallError) -> [String] {
    let wanted = service.socketAccess
    let keys = ["socket-mode", "socket-user", "socket-group"].filter(holds)
    guard !keys.isEmpty else { return [] }
    var status = stat()
    // By its bytes: a path need not be UTF-8.
    guard lstat((path.bytes + [0]).map(CChar.init(bitPattern:)), &status) == 0 else {
      throw SystemCallError("lstat", on: path.description, code: ErrorCode(rawValue: errno))
    }
    var problems: [String] = []
    func refuse(_ key: String, _ found: String, _ wanted: String?, _ unitKey: String) {
      problems.append(problem(.unixPath(path), "has \(found)", key, printable(wanted ?? ""), unitKey))
    }
    if keys.contains("socket-mode"), status.st_mode & 0o777 != wanted.mode {
      refuse("socket-mode", "mode \(mode(status.st_mode))", mode(wanted.mode), "SocketMode")
    }
    if keys.contains("socket-user"), status.st_uid != wanted.user {
      let owner = Users.find(status.st_uid)?.name ?? String(status.st_uid)
      refuse("socket-user", "owner \(printable(owner))", service.settings.socketUser, "SocketUser")
    }
    if keys.contains("socket-group"), status.st_gid != wanted.group {
      refuse("socket-group", "group \(status.st_gid)", service.settings.socketGroup, "SocketGroup")
    }
    return problems
  }

  private func problem(
    _ address: SocketAddress, _ found: String, _ key: String, _ wanted: String, _ unitKey: String
  ) -> String {
    "the socket passed for \(address) \(found), \(key) says \(wanted); set \(unitKey)=\(wanted) in the unit or leave out "
      + "the key"
  }

  private func mode(_ mode: mode_t) -> String {
    let digits = String(mode & 0o777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// Whether a file sets the key for this service, with an effect.
  private func holds(_ key: String) -> Bool {
    service.origins[key] != nil
      && ServiceSettings.key(named: key)?.reasonWithoutEffect(service.settings, service.mode) == nil
  }
}
