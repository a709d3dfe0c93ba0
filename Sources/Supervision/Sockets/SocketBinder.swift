import Configuration
import Settings
@_spi(Begat) import UnixCore

/// Binds the addresses of services.
struct SocketBinder {
  /// Until when listeners of a begatd that was killed may take to let go of addresses.
  var deadline = Deadline.now
  /// Sockets that the configuration gives up: a new one may have an address that meets one of theirs.
  var givenUp: [HeldSocket] = []
  /// Sockets that services have, for messages about files.
  var held: [(service: String, socket: HeldSocket)] = []
  /// Sockets that the service had before: an address whose port the kernel chose gets the same port again.
  var former: [SocketAssignment.Open] = []

  /// Binds, and tries again while a listener of a killed begatd has the address still.
  func bind(_ address: SocketAddress, of service: ServiceConfiguration, isDatagram: Bool) throws(BindProblem)
    -> HeldSocket
  {
    while true {
      do throws(BindProblem) { return try bindOnce(address, of: service, isDatagram: isDatagram) } catch {
        guard error.isLeftBehind, !deadline.hasPassed else { throw error }
        SystemClock.sleep(for: .milliseconds(10))
      }
    }
  }

  /// The given-up sockets beside which the kernel would not bind the address: those of the port.
  private func neighbours(of address: SocketAddress, isDatagram: Bool) -> [HeldSocket] {
    guard let port = address.port, port != 0 else { return [] }
    return givenUp.filter { socket in
      socket.isDatagram == isDatagram && socket.address.port == port && socket.address.hasFamily(of: address)
    }
  }

  private func bindOnce(_ address: SocketAddress, of service: ServiceConfiguration, isDatagram: Bool)
    throws(BindProblem) -> HeldSocket
  {
    let target = formerAddress(of: address, isDatagram: isDatagram) ?? address
    let neighbours = neighbours(of: target, isDatagram: isDatagram)
    // Only while the address is bound: a process of the same user could otherwise take a part of the clients.
    for neighbour in neighbours { try? neighbour.descriptor.setSharesPort(true) }
    defer { for neighbour in neighbours { try? neighbour.descriptor.setSharesPort(false) } }
    do {
      switch target {
      case .unixPath(let path): return try bind(path, of: service, isDatagram: isDatagram)
      default:
        var options = service.settings.bindOptions
        options.sharesPort = !neighbours.isEmpty
        let socket = try bind(
          target, wanted: address, options, backlog: service.settings.backlog, isDatagram: isDatagram)
        if !neighbours.isEmpty { try socket.descriptor.setSharesPort(false) }
        return socket
      }
    } catch let failure as SystemCallError {
      throw BindProblem(target, failure, isDatagram: isDatagram)
    } catch UnixSocketFile.BindError.inUse(let path) {
      if let holder = holder(of: path) { throw BindProblem("bind \(path): \(holder); remove one of them") }
      throw BindProblem(UnixSocketFile.BindError.inUse(path))
    } catch {
      throw BindProblem("\(error)")
    }
  }

  private func bind(_ path: UnixPath, of service: ServiceConfiguration, isDatagram: Bool) throws -> HeldSocket {
    let access = service.socketAccess
    if isDatagram {
      let bound = try UnixSocketFile.bind(at: path, kind: .datagram, access: access)
      let file = bound.file
      return HeldSocket(bound.socket, isDatagram: true, address: .unixPath(path), file: file)
    }
    let bound = try UnixSocketFile.listen(at: path, backlog: service.settings.backlog, access: access)
    let file = bound.file
    return HeldSocket(bound.socket.release(), isDatagram: false, address: .unixPath(path), file: file)
  }

  private func bind(
    _ address: SocketAddress, wanted: SocketAddress, _ options: BindOptions, backlog: CInt, isDatagram: Bool
  ) throws(SystemCallError) -> HeldSocket {
    let descriptor =
      isDatagram
      ? try DatagramSocket(address, options: options).release()
      : try ListeningSocket(address, backlog: backlog, options: options).release()
    let bound = try descriptor.localAddress().address ?? address
    return HeldSocket(
      descriptor, isDatagram: isDatagram, address: bound, wanted: .address(wanted, isOptional: false))
  }

  private func formerAddress(of wanted: SocketAddress, isDatagram: Bool) -> SocketAddress? {
    guard wanted.port == 0 else { return nil }
    return former.first { socket in
      socket.isDatagram == isDatagram && socket.wanted == .address(wanted, isOptional: false)
        && !held.contains { $0.socket.address == socket.address && $0.socket.isDatagram == isDatagram }
    }?.address
  }

  /// The service that has this very file by another spelling of its path.
  private func holder(of path: UnixPath) -> String? {
    for (name, socket) in held {
      if let file = socket.file, file.isAt(path) { return "\(name) has it as \(file.path)" }
    }
    return nil
  }
}

extension SocketAddress {
  fileprivate func hasFamily(of other: SocketAddress) -> Bool {
    switch (self, other) {
    case (.ipv4, .ipv4), (.ipv6, .ipv6): true
    default: false
    }
  }
}
