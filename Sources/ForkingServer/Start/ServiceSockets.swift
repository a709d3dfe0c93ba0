import ControlProtocol
import Glibc
import Settings
import UnixIPC

/// A listening socket, shared with nobody but held by reference: the loop keeps a list of them.
final class StreamSocket {
  let socket: ListeningSocket
  init(_ socket: consuming ListeningSocket) { self.socket = socket }
}

/// A datagram socket, likewise.
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

  /// Takes the sockets that were passed: by a service manager, and those that the options name.
  init(adopting options: ListenerOptions) throws(Problem) {
    let passed: [SocketActivation.PassedSocket]
    do throws(SocketActivation.Problem) { passed = try SocketActivation.take() } catch {
      throw Problem(description: "\(error)")
    }
    let numbers = passed.map(\.number) + options.sockets
    let others = [options.channel, options.scoreboard, options.names, options.nameRequests].compactMap { $0 }
    var seen: Set<CInt> = []
    for number in numbers + others where !seen.insert(number).inserted {
      throw Problem(description: "descriptor \(number) is given twice", isUsage: true)
    }
    for number in numbers { try adopt(number) }
    for socket in passed {
      let isDatagram = Descriptor.withLent(socket.number) { $0.socketKind == datagramKind }
      named[socket.name, default: []].insert(isDatagram)
    }
  }

  /// Binds what the settings name besides, and sets the options of all sockets.
  mutating func bind(_ settings: ListenerSettings) throws(Problem) {
    for address in settings.streams { try bind(address, settings, isDatagram: false) }
    for address in settings.datagrams { try bind(address, settings, isDatagram: true) }
    if settings.options.keepAlive {
      for stream in streams { stream.socket.keepConnectionsAlive() }
    }
  }

  private mutating func adopt(_ number: CInt) throws(Problem) {
    guard number > 2, fcntl(number, F_SETFD, FD_CLOEXEC) != -1 else {
      throw Problem(description: "socket \(number): not an open descriptor above 2", isUsage: true)
    }
    let descriptor = Descriptor(owning: number)
    do throws(CallFailure) {
      addresses.append(try descriptor.localAddress().address?.description ?? "?")
      if descriptor.socketKind == datagramKind {
        datagrams.append(AnsweringSocket(try DatagramSocket(adopting: descriptor)))
      } else {
        // A program of a former listener may have shut it down.
        if descriptor.socketKind == streamKind, !descriptor.isListening,
          let address = try descriptor.localAddress().address, address.port ?? 0 > 0
        {
          // As many as may wait; the kernel cuts it (net.core.somaxconn).
          try descriptor.listenAgain(at: address, backlog: .max)
        }
        streams.append(StreamSocket(try ListeningSocket(adopting: descriptor)))
      }
    } catch {
      throw Problem(description: "socket \(number): neither a listening nor a datagram socket (\(error.errno))")
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
    case family(CallFailure)
    case other(String)

    init(_ failure: CallFailure) {
      self =
        failure.errno == Errno(rawValue: EAFNOSUPPORT) || failure.errno == Errno(rawValue: EADDRNOTAVAIL)
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
      do throws(UnixSocketFile.Refusal) {
        try bind(path: path, settings, isDatagram: isDatagram)
      } catch { throw .other("\(error)") }
      return
    }
    do throws(CallFailure) {
      if isDatagram {
        datagrams.append(AnsweringSocket(try DatagramSocket(address, options: options.bindOptions)))
      } else {
        streams.append(
          StreamSocket(try ListeningSocket(address, backlog: options.backlog, options: options.bindOptions)))
      }
    } catch { throw Refusal(error) }
  }

  private mutating func bind(
    path: String, _ settings: ListenerSettings, isDatagram: Bool
  ) throws(UnixSocketFile.Refusal) {
    if isDatagram {
      let bound = try UnixSocketFile.bind(at: path, kind: datagramKind, access: settings.socketAccess)
      files.append(bound.file)
      do throws(CallFailure) {
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

  /// Closes what the listener was started with and does not know.
  func closeOthers(knowing options: ListenerOptions) throws(CallFailure) {
    let known =
      streams.map { $0.socket.descriptor.number } + datagrams.map { $0.socket.descriptor.number }
      + [options.channel, options.scoreboard, options.names, options.nameRequests].compactMap { $0 }
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

  /// Lets go of all sockets: whoever else has them goes on, nobody waits for this process any more.
  mutating func close() {
    streams = []
    datagrams = []
  }

  /// The address with the port that the kernel chose.
  private static func boundAddress(_ number: CInt?) -> String? {
    guard let number else { return nil }
    return Descriptor.withLent(number) { try? $0.localAddress().address?.description }
  }
}
