@_spi(Begat) import UnixCore

/// The sockets that the service manager passed.
struct PassedSockets {
  private(set) var sockets: [HeldSocket] = []
  /// The descriptors that a former begatd has given to the manager's store.
  let kept: KeptDescriptors
  /// What was passed and is no socket that can be served.
  private(set) var warnings: [String] = []

  /// None.
  static var none: PassedSockets { PassedSockets(kept: KeptDescriptors()) }

  private init(kept: KeptDescriptors) { self.kept = kept }

  /// Takes them over from the environment.
  init() throws(SocketActivation.ActivationError) {
    self.init(kept: KeptDescriptors())
    var passed = try SocketActivation.take()
    while let socket = passed.takeFirst() {
      let name = socket.name
      add(socket.descriptor, named: name)
    }
  }

  /// Adds a descriptor, by the name that the manager knows it by.
  mutating func add(_ descriptor: consuming Descriptor, named name: String) {
    guard !KeptName.isKept(name) else { return kept.add(descriptor, named: name) }
    let kind = descriptor.socketKind
    let isListening = descriptor.isListening
    guard kind == .datagram || kind == .stream && isListening,
      let address = try? descriptor.localAddress().address
    else {
      warnings.append(
        "passed descriptor \(descriptor.number) (\(escaped(name.utf8))): no listening or datagram socket; closed")
      return
    }
    // A begatd killed during a drain leaves its filter attached.
    _ = try? descriptor.takeNewClients()
    sockets.append(HeldSocket(descriptor, isDatagram: kind == .datagram, address: address, passedName: name))
  }

  /// Sockets that are closed because no service wants them.
  func closing(_ rest: [Int]) -> [String] {
    rest.map { index in
      let name = escaped((sockets[index].passedName ?? "").utf8)
      return "passed socket \(sockets[index].address) (\(name)): no service has it; closed"
    }
  }
}
