import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// A listening socket in an object, so that the loop can keep a list of them.
final class StreamSocket {
  let socket: ListeningSocket
  /// For people.
  let address: String
  /// Whether this process has bound it: then no other process will accept at it.
  let isOwn: Bool
  /// Whether it takes no new client, and is closed as soon as none waits.
  var isClosing: Bool
  /// Whether its peers are proxies.
  var isProxied = false

  init(_ socket: consuming ListeningSocket, address: String, isOwn: Bool = false, isClosing: Bool = false) {
    self.socket = socket
    self.address = address
    self.isOwn = isOwn
    self.isClosing = isClosing
  }
}

/// A datagram socket in an object.
final class AnsweringSocket {
  let socket: DatagramSocket
  let isOwn: Bool
  /// Whether it receives nothing new, and is closed as soon as nothing waits.
  var isClosing: Bool

  init(_ socket: consuming DatagramSocket, isOwn: Bool = false, isClosing: Bool = false) {
    self.socket = socket
    self.isOwn = isOwn
    self.isClosing = isClosing
  }
}

/// The sockets that a listener serves: passed by begatd or a service manager, or bound by itself.
struct ServiceSockets {
  private(set) var streams: [StreamSocket] = [] {
    didSet { uncountedStreams = streams.map(Unmanaged.passUnretained) }
  }
  /// The same, for accepting clients: to count a reference is to write to the object's page, which each fork copies then.
  private(set) var uncountedStreams: [Unmanaged<StreamSocket>] = []
  private(set) var datagrams: [AnsweringSocket] = []
  /// Their addresses, for people.
  private(set) var addresses: [String] = []
  /// Whether the sockets of a name that the service manager passed take datagrams.
  private var named: [String: Set<Bool>] = [:]
  /// The addresses that this machine lacks, a line each.
  private(set) var warnings: [String] = []
  /// Files of Unix sockets that were bound here.
  private(set) var files: [UnixSocketFile] = []

  /// Why a socket cannot be served; one line, with what to do.
  struct Problem: Error, CustomStringConvertible {
    let description: String
    /// Whether the command line is to blame.
    var isUsage = false
  }

  /// Takes the sockets that a service manager passed, and those that the options name.
  init(adopting options: ListenerOptions) throws(Problem) {
    var passed: SocketActivation.PassedSockets
    do throws(SocketActivation.ActivationError) { passed = try SocketActivation.take() } catch {
      throw Problem(description: "\(error)")
    }
    var numbers: [CInt] = []
    while let socket = passed.takeFirst() {
      named[socket.name, default: []].insert(socket.descriptor.socketKind == .datagram)
      numbers.append(socket.descriptor.release())
    }
    numbers += options.sockets
    var seen: Set<CInt> = []
    for number in numbers + options.closingSockets + options.otherDescriptors where !seen.insert(number).inserted {
      throw Problem(description: "descriptor \(number) is given twice", isUsage: true)
    }
    for number in numbers { try adopt(number) }
    for number in options.closingSockets { try adopt(number, isClosing: true) }
  }

  /// Binds the other addresses that the settings name, and sets the options of all sockets.
  mutating func bind(_ settings: ListenerSettings) throws(Problem) {
    for address in settings.streams { try bind(address, settings, isDatagram: false) }
    for address in settings.datagrams { try bind(address, settings, isDatagram: true) }
    if isEmpty { throw Problem(description: "no address to serve: " + warnings.joined(separator: "; ")) }
    for stream in streams {
      if settings.options.keepAlive { stream.socket.enableKeepalive() }
      stream.isProxied = settings.options.requiresProxies
      if !stream.isProxied { stream.socket.endDeferral() }
    }
  }

  /// - Parameter isClosing: whether it was given up.  Then its address is not shown.
  private mutating func adopt(_ number: CInt, isClosing: Bool = false) throws(Problem) {
    guard number > 2, let descriptor = try? Descriptor(adopting: number) else {
      throw Problem(description: "socket \(number): not an open descriptor above 2", isUsage: true)
    }
    do throws(SystemCallError) {
      let address = try descriptor.localAddress().address?.description ?? "?"
      if !isClosing { addresses.append(address) }
      if descriptor.socketKind == SocketKind.datagram {
        datagrams.append(AnsweringSocket(try DatagramSocket(adopting: descriptor), isClosing: isClosing))
      } else {
        // A program of a former listener may have shut it down.
        if !isClosing, descriptor.socketKind == SocketKind.stream, !descriptor.isListening,
          let address = try descriptor.localAddress().address, address.port ?? 0 > 0
        {
          // The longest backlog; the kernel limits it (net.core.somaxconn).
          try descriptor.listenAgain(at: address, backlog: .max)
        }
        streams.append(
          StreamSocket(try ListeningSocket(adopting: descriptor), address: address, isClosing: isClosing))
      }
    } catch {
      throw Problem(description: "socket \(number): neither a listening nor a datagram socket (\(error.code))")
    }
  }

  private mutating func bind(
    _ wanted: ListenAddress, _ settings: ListenerSettings, isDatagram: Bool
  ) throws(Problem) {
    let address: SocketAddress
    switch wanted {
    case .address(let wanted, _): address = wanted
    case .passed(let name):
      guard named[name]?.contains(isDatagram) ?? false else {
        let kind = isDatagram ? "datagram" : "stream"
        throw Problem(description: "no \(kind) socket named \(name) was passed")
      }
      return
    }
    do throws(Refusal) { try bind(address, settings, isDatagram: isDatagram) } catch {
      guard case .missing(let failure) = error, wanted.isOptional || address.isDispensable(without: failure.code) else {
        throw Problem(description: "\(error)")
      }
      warnings.append("\(address): this machine lacks the address or its family; served without it")
      return
    }
    let last = isDatagram ? datagrams.last?.socket.descriptor.number : streams.last?.socket.descriptor.number
    addresses.append(ServiceSockets.name(of: last, boundTo: address))
  }

  /// Why an address cannot be bound.
  private enum Refusal: Error, CustomStringConvertible {
    /// The machine lacks the address, or its family.
    case missing(SystemCallError)
    case other(String)

    init(_ failure: SystemCallError) {
      self =
        failure.code == ErrorCode.addressFamilyNotSupported || failure.code == ErrorCode.addressNotAvailable
        ? .missing(failure) : .other("\(failure)")
    }

    var description: String {
      switch self {
      case .missing(let failure): "\(failure)"
      case .other(let text): text
      }
    }
  }

  private mutating func bind(
    _ address: SocketAddress, _ settings: ListenerSettings, isDatagram: Bool
  ) throws(Refusal) {
    let options = settings.options
    if case .unixPath(let path) = address {
      do throws(UnixSocketFile.BindError) {
        try bind(path: path, settings, isDatagram: isDatagram)
      } catch { throw .other("\(error)") }
      return
    }
    do throws(SystemCallError) {
      if isDatagram {
        datagrams.append(AnsweringSocket(try DatagramSocket(address, options: options.bindOptions), isOwn: true))
      } else {
        let socket = try ListeningSocket(address, backlog: options.backlog, options: options.bindOptions)
        let name = ServiceSockets.name(of: socket.descriptor.number, boundTo: address)
        streams.append(StreamSocket(socket, address: name, isOwn: true))
      }
    } catch { throw Refusal(error) }
  }

  private mutating func bind(
    path: UnixPath, _ settings: ListenerSettings, isDatagram: Bool
  ) throws(UnixSocketFile.BindError) {
    if isDatagram {
      let bound = try UnixSocketFile.bind(at: path, kind: .datagram, access: settings.socketAccess)
      files.append(bound.file)
      do throws(SystemCallError) {
        datagrams.append(AnsweringSocket(try DatagramSocket(adopting: bound.socket), isOwn: true))
      } catch { throw .call(error) }
    } else {
      let bound = try UnixSocketFile.listen(at: path, backlog: settings.options.backlog, access: settings.socketAccess)
      files.append(bound.file)
      streams.append(StreamSocket(bound.socket, address: path.description, isOwn: true))
    }
  }

  /// Lets the kernel wait for the first bytes of connections.
  func deferConnections() { for stream in streams { stream.socket.deferConnections() } }

  /// Ends that wait at sockets that another process may accept at.
  func endDeferral() { for stream in streams where !stream.isOwn { stream.socket.endDeferral() } }

  /// The kinds of all sockets, by what the kernel says of their addresses.
  var kinds: Set<ServiceMode.SocketKind> { kinds(closing: false).union(kinds(closing: true)) }

  /// The kinds of the sockets that are served, for which the settings are; if there are none, of those that are given up.
  var servedKinds: Set<ServiceMode.SocketKind> {
    let served = kinds(closing: false)
    return served.isEmpty ? kinds : served
  }

  private func kinds(closing isClosing: Bool) -> Set<ServiceMode.SocketKind> {
    func kind(of socket: borrowing Descriptor, isStream: Bool) -> ServiceMode.SocketKind {
      ServiceMode.SocketKind((try? socket.localAddress())?.address, isStream: isStream)
    }
    let streams = streams.filter { $0.isClosing == isClosing }
    let datagrams = datagrams.filter { $0.isClosing == isClosing }
    return Set(streams.map { kind(of: $0.socket.descriptor, isStream: true) })
      .union(datagrams.map { kind(of: $0.socket.descriptor, isStream: false) })
  }

  /// Closes the descriptors that the listener was started with and does not know.
  func closeOthers(knowing options: ListenerOptions) throws(SystemCallError) {
    let known =
      streams.map { $0.socket.descriptor.number } + datagrams.map { $0.socket.descriptor.number }
      + options.closingSockets + options.otherDescriptors
    let numbers = UnsafeMutableBufferPointer<CInt>.allocate(capacity: known.count)
    defer { numbers.deallocate() }
    _ = numbers.initialize(from: known.sorted())
    try DescriptorRange.close(from: 3, keeping: UnsafeBufferPointer(numbers))
  }

  /// The addresses of all sockets, for people, with their kinds.
  var shownAddresses: [(text: String, isDatagram: Bool)] {
    func text(_ descriptor: borrowing Descriptor) -> String {
      (try? descriptor.localAddress())?.address?.description ?? "?"
    }
    return streams.map { (text($0.socket.descriptor), false) } + datagrams.map { (text($0.socket.descriptor), true) }
  }

  /// The ports of its datagram sockets, adopted ones included: an answer sent to one of them would be a question to this
  /// very listener.
  var datagramPorts: [UInt16] {
    datagrams.compactMap { entry in (try? entry.socket.descriptor.localAddress())?.address?.port }
  }

  /// Whether any socket is given up.
  var haveClosing: Bool { streams.contains { $0.isClosing } || datagrams.contains { $0.isClosing } }

  /// Gives up all sockets, which their owner has made refuse new clients.
  func markClosing() {
    for entry in streams { entry.isClosing = true }
    for entry in datagrams { entry.isClosing = true }
  }

  /// Lets the sockets that were bound here take no new clients, and gives them up.
  mutating func giveUpOwn() {
    for file in files { file.removeIfOurs() }
    // Another server may bind the path now.
    files = []
    for entry in streams where entry.isOwn {
      entry.isClosing = (try? entry.socket.descriptor.refuseNewClients()) != nil
    }
    for entry in datagrams where entry.isOwn {
      entry.isClosing = (try? entry.socket.descriptor.refuseNewClients()) != nil
    }
  }

  var isEmpty: Bool { streams.isEmpty && datagrams.isEmpty }

  /// Closes all sockets: other processes that have them go on, and no client waits for this one any more.
  mutating func close() {
    streams = []
    datagrams = []
  }

  mutating func closeStream(at index: Int) { streams.remove(at: index) }
  mutating func closeDatagrams(at index: Int) { datagrams.remove(at: index) }

  /// The address for people: with the port that the kernel chose.
  private static func name(of number: CInt?, boundTo address: SocketAddress) -> String {
    guard let number, address.port != nil else { return address.description }
    let bound = Descriptor.withBorrowed(number) { try? $0.localAddress().address?.description }
    return bound ?? address.description
  }
}

extension ListenerOptions {
  /// The descriptors that are no sockets to serve.
  fileprivate var otherDescriptors: [CInt] {
    [channel, keptChannel, scoreboard, admissionBook, bans, names, nameRequests].compactMap { $0 }
  }
}
