@_spi(Begat) import UnixCore

/// The sockets that the service manager passed, until services take them.
struct PassedSockets {
  private struct Entry {
    let socket: HeldSocket
    let name: String
  }

  private var entries: [Entry] = []
  /// What was passed and is no socket that can be served.
  private(set) var warnings: [String] = []

  /// Takes them over from the environment.
  init() throws(SocketActivation.ActivationError) {
    var sockets = try SocketActivation.take()
    while let passed = sockets.takeFirst() {
      let name = passed.name
      let descriptor = passed.descriptor
      let kind = descriptor.socketKind
      let isListening = descriptor.isListening
      guard kind == .datagram || kind == .stream && isListening,
        let address = try? descriptor.localAddress().address
      else {
        warnings.append(
          "passed descriptor \(descriptor.number) (\(escaped(name.utf8))): no listening or datagram socket; closed")
        continue
      }
      entries.append(
        Entry(socket: HeldSocket(descriptor, isDatagram: kind == .datagram, address: address), name: name))
    }
  }

  /// The socket with this address.
  mutating func take(_ address: SocketAddress, isDatagram: Bool) -> HeldSocket? {
    guard let index = entries.firstIndex(where: { $0.socket.address == address && $0.socket.isDatagram == isDatagram })
    else { return nil }
    return entries.remove(at: index).socket
  }

  /// All sockets of this name: one unit may have several addresses.
  mutating func take(named name: String, isDatagram: Bool) -> [HeldSocket] {
    let isWanted: (Entry) -> Bool = { $0.name == name && $0.socket.isDatagram == isDatagram }
    defer { entries.removeAll(where: isWanted) }
    return entries.filter(isWanted).map(\.socket)
  }

  /// Closes what no service wanted and tells which.
  mutating func closeRest() -> [String] {
    defer { entries = [] }
    return entries.map { "passed socket \($0.socket.address) (\(escaped($0.name.utf8))): no service has it; closed" }
  }
}
