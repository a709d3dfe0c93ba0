import Configuration
import Settings
@_spi(Begat) import UnixCore

/// A socket that begatd holds for a service, open until the configuration gives it up.
final class HeldSocket {
  let descriptor: Descriptor
  let isDatagram: Bool
  /// As bound: with the port that the kernel chose.
  let address: SocketAddress
  /// The interface through which all of its traffic goes; nil for any.
  private(set) var device: String?
  /// As configured: the port may be 0, the socket a name under which the service manager passed it.
  let wanted: ListenAddress
  /// The file of a Unix socket that begatd made; nil for passed sockets.
  let file: UnixSocketFile?
  /// The name under which the service manager passed it; nil for a socket that begatd bound.
  let passedName: String?
  /// Whether new clients are dropped, as at a passed socket of a drained service.
  private(set) var dropsNewClients = false
  /// Whether the next begatd gets it from the service manager, which keeps it: clients wait for that one, and its file
  /// stays.
  var isLeftToNext = false
  /// Whether other processes go on holding it when this begatd closes it.
  var staysOpen: Bool { passedName != nil || isLeftToNext }
  /// Whether `refuseNewClients` was called: it cannot be undone, and a second time the kernel refuses it.
  private var isGivenUp = false

  init(
    _ descriptor: consuming Descriptor, isDatagram: Bool, address: SocketAddress, wanted: ListenAddress? = nil,
    file: UnixSocketFile? = nil, passedName: String? = nil
  ) {
    self.descriptor = descriptor
    self.isDatagram = isDatagram
    self.address = address
    self.wanted = wanted ?? .address(address, isOptional: false)
    self.file = file
    self.passedName = passedName
    // Read now: a socket that refuses clients is bound to an interface that does not exist.
    device = address.isUnix ? nil : (try? self.descriptor.boundDevice()) ?? nil
  }

  var kind: ServiceMode.SocketKind { ServiceMode.SocketKind(address, isStream: !isDatagram) }

  /// As assignments see it.
  ///
  /// - Parameter service: the service that has it.
  func open(of service: String?) -> SocketAssignment.Open {
    // A file that was removed, or replaced, leads no client here any more.
    let isReachable = file.map { $0.isAt($0.path) } ?? true
    return SocketAssignment.Open(
      address: isReachable ? address : .unixUnnamed, isDatagram: isDatagram, device: device, wanted: wanted,
      passedName: passedName, service: service)
  }

  /// Gives a socket that was bound for another configuration every option of a service's present one.
  ///
  /// `free-bind` has done its work, and the listener itself turns keep-alive on.
  func apply(_ service: ServiceConfiguration) throws(SystemCallError) {
    // The service manager has chosen the options of its sockets; `PassedSocketCheck` compares them.
    guard passedName == nil else { return }
    let settings = service.settings
    if let file { try file.change(to: service.socketAccess) }
    if !isDatagram {
      try descriptor.setBacklog(settings.backlog)
      if !settings.keepAlive { descriptor.disableKeepalive() }
    }
    guard !address.isUnix, try descriptor.boundDevice() != settings.bindToDevice else { return }
    try descriptor.setBoundDevice(settings.bindToDevice)
    device = settings.bindToDevice
  }

  /// Refuses new clients from now on; those that wait already can still be accepted.
  ///
  /// - Returns: why it cannot, at the first call only; nil if it does.
  func refuseNewClients() -> SystemCallError? {
    // The manager goes on holding such a socket, and may pass it to the next begatd.
    guard !staysOpen else { return nil }
    file?.removeIfOurs()
    guard !isGivenUp else { return nil }
    isGivenUp = true
    do throws(SystemCallError) { try descriptor.refuseNewClients() } catch { return error }
    return nil
  }

  /// Lets a socket of the service manager take no new client until `takeNewClients`.
  ///
  /// - Returns: false if new clients wait in its backlog instead.
  func dropNewClients() -> Bool {
    dropsNewClients = (try? descriptor.dropNewClients()) ?? false
    return dropsNewClients
  }

  /// Undoes `dropNewClients`.
  func takeNewClients() {
    guard dropsNewClients else { return }
    dropsNewClients = false
    _ = try? descriptor.takeNewClients()
  }
}
