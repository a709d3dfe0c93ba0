import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// A listening socket in an object, so that the loop can keep a list of them.
final class StreamSocket {
  let socket: ListeningSocket
  init(_ socket: consuming ListeningSocket) { self.socket = socket }
}

/// A datagram socket in an object.
final class AnsweringSocket {
  let socket: DatagramSocket
  init(_ socket: consuming DatagramSocket) { self.socket = socket }
}

/// The sockets that a listener serves: passed by begatd or a service manager, or bound by itself.
struct ServiceSockets {
  private(set) var streams: [StreamSocket] = []
  private(set) var datagrams: [AnsweringSocket] = []
  /// Their addresses, for people.
  private(set) var addresses: [String] = []
  /// Whether the sockets of a name that the service manager passed take datagrams.
  private var named: [String: Set<Bool>] = [:]
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
  }

  /// Binds the other addresses that the settings name, and sets the options of all sockets.
  mutating func bind(_ settings: ListenerSettings) throws(Problem) {
    for address in settings.streams { try bind(address, settings, isDatagram: false) }
    for address in settings.datagrams { try bind(address, settings, isDatagram: true) }
    if settings.options.keepAlive {
      for stream in streams { stream.socket.enableKeepalive() }
    }
  }

  private mutating func adopt(_ number: CInt) throws(Problem) {
    guard number > 2, let descriptor = try? Descriptor(adopting: number) else {
      throw Problem(description: "socket \(number): not an open descriptor above 2", isUsage: true)
    }
    do throws(SystemCallError) {
      addresses.append(try descriptor.localAddress().address?.description ?? "?")
      if descriptor.socketKind == SocketKind.datagram {
        datagrams.append(AnsweringSocket(try DatagramSocket(adopting: descriptor)))
      } else {
        // A program of a former listener may have shut it down.
        if descriptor.socketKind == SocketKind.stream, !descriptor.isListening,
          let address = try descriptor.localAddress().address, address.port ?? 0 > 0
        {
          // The longest backlog; the kernel limits it (net.core.somaxconn).
          try descriptor.listenAgain(at: address, backlog: .max)
        }
        streams.append(StreamSocket(try ListeningSocket(adopting: descriptor)))
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
      if case .family = error, case .address(_, isOptional: true) = wanted { return }
      throw Problem(description: "\(error)")
    }
    let isPath = address.port == nil
    let last = isDatagram ? datagrams.last?.socket.descriptor.number : streams.last?.socket.descriptor.number
    addresses.append(isPath ? address.description : ServiceSockets.boundAddress(last) ?? address.description)
  }

  /// Why an address cannot be bound.
  private enum Refusal: Error, CustomStringConvertible {
    /// The machine lacks the family of the address.
    case family(SystemCallError)
    case other(String)

    init(_ failure: SystemCallError) {
      self =
        failure.code == ErrorCode.addressFamilyNotSupported || failure.code == ErrorCode.addressNotAvailable
        ? .family(failure) : .other("\(failure)")
    }

    var description: String {
      switch self {
      case .family(let failure): "\(failure)"
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
        datagrams.append(AnsweringSocket(try DatagramSocket(address, options: options.bindOptions)))
      } else {
        streams.append(
          StreamSocket(try ListeningSocket(address, backlog: options.backlog, options: options.bindOptions)))
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
        datagrams.append(AnsweringSocket(try DatagramSocket(adopting: bound.socket)))
      } catch { throw .call(error) }
    } else {
      let bound = try UnixSocketFile.listen(at: path, backlog: settings.options.backlog, access: settings.socketAccess)
      files.append(bound.file)
      streams.append(StreamSocket(bound.socket))
    }
  }

  /// The kinds of all sockets, by what the kernel says of their addresses.
  var kinds: Set<ServiceMode.SocketKind> {
    func kind(of socket: borrowing Descriptor, isStream: Bool) -> ServiceMode.SocketKind {
      ServiceMode.SocketKind((try? socket.localAddress())?.address, isStream: isStream)
    }
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

  /// The ports of its datagram sockets, adopted ones included: an answer sent to one of them would be a question to this
  /// very listener.
  var datagramPorts: [UInt16] {
    datagrams.compactMap { entry in (try? entry.socket.descriptor.localAddress())?.address?.port }
  }

  /// Closes all sockets: other processes that have them go on, and no client waits for this one any more.
  mutating func close() {
    streams = []
    datagrams = []
  }

  /// The address with the port that the kernel chose.
  private static func boundAddress(_ number: CInt?) -> String? {
    guard let number else { return nil }
    return Descriptor.withBorrowed(number) { try? $0.localAddress().address?.description }
  }
}

extension ListenerOptions {
  /// The descriptors that are no sockets to serve.
  fileprivate var otherDescriptors: [CInt] {
    [channel, scoreboard, admissionBook, bans, names, nameRequests].compactMap { $0 }
  }
}
