import Glibc
@_spi(Begat) import UnixCore

/// Why an address could not be bound, and what to do about it.
struct BindProblem: Error, CustomStringConvertible {
  let description: String
  /// Whether this machine lacks the address, or its whole family.
  private(set) var isMissing = false
  /// Whether the rest can be served without the address: this machine lacks it, and it is one of loopback, or this
  /// machine lacks its whole family.
  private(set) var isDispensable = false
  /// Whether the address is in use, by whichever process.
  private(set) var isInUse = false
  /// Whether begatd has no descriptor left.
  private(set) var isShortage = false
  /// Whether a listener of a begatd that was killed has the address: it lets go of it as soon as it notices.
  private(set) var isLeftBehind = false

  init(_ description: String) { self.description = description }

  init(_ address: SocketAddress, _ failure: SystemCallError, isDatagram: Bool) {
    if failure.call == BindProblem.deviceCall {
      description = "bind \(address): " + BindProblem.deviceAdvice(failure)
      return
    }
    isInUse = failure.code == .addressInUse
    isShortage = failure.code == .tooManyOpenFiles || failure.code == .tooManyOpenFilesInSystem
    isMissing = failure.code == .addressFamilyNotSupported || failure.code == .addressNotAvailable
    isDispensable = address.isDispensable(without: failure.code)
    var holder: PortHolder?
    if isInUse, let port = address.port {
      do throws(SystemCallError) { holder = try PortHolder.find(port: port, isDatagram: isDatagram) } catch {
        description = "\(failure); \(error)"
        return
      }
    }
    isLeftBehind = holder?.isLeftListener ?? (failure.code == .addressInUse && PortHolder.existsLeftListener)
    // A call before bind(2) knows no address.
    let failing = failure.object == nil ? "bind \(address): \(failure)" : "\(failure)"
    description = isShortage ? failure.withAdvice : failing + BindProblem.advice(address, failure.code, holder)
  }

  init(_ refusal: UnixSocketFile.BindError) {
    description = refusal.description
    if case .inUse = refusal {
      isInUse = true
      isLeftBehind = PortHolder.existsLeftListener
    }
  }

  /// As `BindOptions` names it.
  private static let deviceCall = "setsockopt SO_BINDTODEVICE"

  private static func deviceAdvice(_ failure: SystemCallError) -> String {
    let device = "bind-to-device \(escaped((failure.object ?? "").utf8)): "
    switch failure.code {
    case ErrorCode.operationNotSupportedByDevice:
      return device + "this machine has no interface of that name; ip link shows all"
    case .notPermitted:
      return device + "\(failure.code); before Linux 5.7 this needs CAP_NET_RAW, which begatd gives up: "
        + "let a socket unit of systemd bind it, with BindToDevice="
    default: return device + "\(failure.code)"
    }
  }

  private static func advice(_ address: SocketAddress, _ code: ErrorCode, _ holder: PortHolder?) -> String {
    switch code {
    case .addressInUse:
      if let holder { return ", by \(holder); stop it or choose another port" }
      return "; stop whoever uses it or choose another address"
    case .permissionDenied where address.port != nil:
      return "; low ports need CAP_NET_BIND_SERVICE, a socket unit of systemd, or a lower "
        + "net.ipv4.ip_unprivileged_port_start"
    case .permissionDenied: return "; check the directory's owner and mode"
    case .addressNotAvailable: return "; no interface of this machine has it; free-bind = true binds it all the same"
    case .addressFamilyNotSupported: return "; permit the family (RestrictAddressFamilies= of a unit), or leave it out"
    case .noSuchFileOrDirectory: return "; its directory is missing"
    default: return ""
    }
  }
}
