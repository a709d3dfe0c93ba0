import Configuration
import ControlProtocol
import Glibc
import Settings
import UnixIPC

/// A socket that begatd holds for a service, open as long as begatd lives.
final class HeldSocket {
  let descriptor: Descriptor
  let isDatagram: Bool
  /// As bound: with the port that the kernel chose.
  let address: SocketAddress
  /// The file of a Unix socket that begatd made; nil for passed sockets.
  let file: UnixSocketFile?

  init(_ descriptor: consuming Descriptor, isDatagram: Bool, address: SocketAddress, file: UnixSocketFile? = nil) {
    self.descriptor = descriptor
    self.isDatagram = isDatagram
    self.address = address
    self.file = file
  }
}

/// Opens the sockets of a service: those that were passed, and the rest by binding.
struct ServiceListenSockets {
  /// Why a service cannot be offered as configured; one line each.
  private(set) var problems: [String] = []
  /// What is missing and can be done without.
  private(set) var warnings: [String] = []
  private(set) var sockets: [HeldSocket] = []
  /// Whether a socket that the manager should have passed is missing.
  private(set) var isInactive = false
  /// Services whose sockets are open already.
  private let others: [ManagedService]
  /// Until when listeners of a begatd that was killed may take to let go of addresses.
  private let patience: Deadline

  init(
    _ service: ServiceConfiguration, passed: inout PassedSockets, others: [ManagedService], patience: Deadline
  ) {
    self.others = others
    self.patience = patience
    for address in service.streams { open(address, of: service, isDatagram: false, passed: &passed) }
    for address in service.datagrams { open(address, of: service, isDatagram: true, passed: &passed) }
  }

  private mutating func open(
    _ wanted: ListenAddress, of service: ServiceConfiguration, isDatagram: Bool, passed: inout PassedSockets
  ) {
    switch wanted {
    case .passed(let name):
      let found = passed.take(named: name, isDatagram: isDatagram)
      found.forEach { adopt($0, for: service) }
      if found.isEmpty {
        isInactive = true
        warnings.append("no \(isDatagram ? "datagram" : "listening") socket named \(name) was passed")
      }
    case .address(let address, let isOptional):
      if let socket = passed.take(address, isDatagram: isDatagram) {
        return adopt(socket, for: service)
      }
      do throws(BindProblem) {
        sockets.append(try bindPatiently(address, of: service, isDatagram: isDatagram))
      } catch {
        if isOptional, error.isMissingFamily {
          warnings.append("\(address): this machine lacks the address family; served without it")
        } else {
          problems.append(error.description)
        }
      }
    }
  }

  private mutating func adopt(_ socket: HeldSocket, for service: ServiceConfiguration) {
    problems += PassedSocketCheck(service).problems(of: socket)
    sockets.append(socket)
  }

  /// Tries again while a listener of a killed begatd has the address still.
  private func bindPatiently(_ address: SocketAddress, of service: ServiceConfiguration, isDatagram: Bool)
    throws(BindProblem) -> HeldSocket
  {
    while true {
      do throws(BindProblem) { return try bind(address, of: service, isDatagram: isDatagram) } catch {
        guard error.isLeftBehind, !patience.hasPassed else { throw error }
        PollSet.pause(.milliseconds(10))
      }
    }
  }

  /// The service that has this very file by another spelling of its path.
  private func holder(of path: String) -> String? {
    for (name, sockets) in others.map({ ($0.name, $0.sockets) }) + [("the same service", sockets)] {
      if let file = sockets.compactMap(\.file).first(where: { $0.isAt(path) }) {
        return "\(name) has it as \(file.path)"
      }
    }
    return nil
  }

  private func bind(_ address: SocketAddress, of service: ServiceConfiguration, isDatagram: Bool) throws(BindProblem)
    -> HeldSocket
  {
    do {
      switch (address, isDatagram) {
      case (.unixPath(let path), false):
        let bound = try UnixSocketFile.listen(at: path, backlog: service.settings.backlog, access: service.socketAccess)
        let file = bound.file
        return HeldSocket(bound.socket.release(), isDatagram: false, address: address, file: file)
      case (.unixPath(let path), true):
        let bound = try UnixSocketFile.bind(at: path, kind: datagramKind, access: service.socketAccess)
        let file = bound.file
        return HeldSocket(bound.socket, isDatagram: true, address: address, file: file)
      case (_, false):
        let socket = try ListeningSocket(
          address, backlog: service.settings.backlog, options: service.settings.bindOptions)
        let bound = try socket.descriptor.localAddress().address ?? address
        return HeldSocket(socket.release(), isDatagram: false, address: bound)
      case (_, true):
        let socket = try DatagramSocket(address, options: service.settings.bindOptions)
        let bound = try socket.descriptor.localAddress().address ?? address
        return HeldSocket(socket.release(), isDatagram: true, address: bound)
      }
    } catch let failure as CallFailure {
      throw BindProblem(address, failure, isDatagram: isDatagram)
    } catch UnixSocketFile.Refusal.inUse(let path) {
      if let holder = holder(of: path) { throw BindProblem("bind \(path): \(holder); remove one of them") }
      throw BindProblem(UnixSocketFile.Refusal.inUse(path))
    } catch {
      throw BindProblem("\(error)")
    }
  }
}
