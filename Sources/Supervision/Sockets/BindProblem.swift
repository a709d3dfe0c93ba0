import Glibc
import UnixIPC

/// Why an address could not be bound, and what to do about it.
struct BindProblem: Error, CustomStringConvertible {
  let description: String
  private(set) var isMissingFamily = false

  init(_ description: String) { self.description = description }

  init(_ address: SocketAddress, _ failure: CallFailure, isDatagram: Bool) {
    isMissingFamily = failure.errno == .addressFamilyNotSupported || failure.errno == .addressNotAvailable
    description = "\(failure)" + BindProblem.advice(address, failure.errno, isDatagram: isDatagram)
  }

  private static func advice(_ address: SocketAddress, _ errno: Errno, isDatagram: Bool) -> String {
    switch errno {
    case .addressInUse:
      if let port = address.port, let holder = PortHolder.find(port: port, isDatagram: isDatagram) {
        return ", by \(holder); stop it or choose another port"
      }
      return "; stop whoever uses it or choose another address"
    case .permissionDenied where address.port.map { $0 < 1024 } ?? false:
      return "; ports below 1024 are for root, or for a socket unit of systemd"
    case .permissionDenied: return "; check the directory's owner and mode"
    case .addressNotAvailable: return "; no interface of this machine has it"
    case .noSuchFile: return "; its directory is missing"
    default: return ""
    }
  }
}
