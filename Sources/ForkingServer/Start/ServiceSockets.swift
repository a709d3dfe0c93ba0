import ControlProtocol
import Glibc
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
  /// Files of Unix sockets that were bound here.
  private(set) var files: [UnixSocketFile] = []

  /// Why a socket cannot be served; one line, with what to do.
  struct Problem: Error, CustomStringConvertible {
    let description: String
    /// Whether the command line is to blame.
    var isUsage = false
  }

  init(_ options: ListenerOptions) throws(Problem) {
    let passed: [SocketActivation.PassedSocket]
    do throws(SocketActivation.Problem) { passed = try SocketActivation.take() } catch {
      throw Problem(description: "\(error)")
    }
    for number in passed.map(\.number) + options.sockets { try adopt(number) }
    for address in options.listenStream { try bind(address, options, isDatagram: false) }
    for address in options.listenDatagram { try bind(address, options, isDatagram: true) }
    if options.keepAlive {
      for stream in streams { stream.socket.keepConnectionsAlive() }
    }
    if streams.isEmpty, datagrams.isEmpty {
      throw Problem(
        description: "no socket: name one with --listen-stream, --listen-datagram or --socket", isUsage: true)
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
        streams.append(StreamSocket(try ListeningSocket(adopting: descriptor)))
      }
    } catch {
      throw Problem(description: "socket \(number): neither a listening nor a datagram socket (\(error.errno))")
    }
  }

  private mutating func bind(_ text: String, _ options: ListenerOptions, isDatagram: Bool) throws(Problem) {
    guard let address = SocketAddress(text) else {
      throw Problem(
        description: "\(escaped(text.utf8)): expected 127.0.0.1:2345, [::1]:2345, /path or @abstract, in numbers",
        isUsage: true)
    }
    do {
      switch (address, isDatagram) {
      case (.unixPath(let path), false):
        let bound = try UnixSocketFile.listen(at: path, backlog: options.backlog, access: UnixSocketFile.Access())
        files.append(bound.file)
        streams.append(StreamSocket(bound.socket))
      case (.unixPath(let path), true):
        let bound = try UnixSocketFile.bind(at: path, kind: datagramKind, access: UnixSocketFile.Access())
        files.append(bound.file)
        datagrams.append(AnsweringSocket(try DatagramSocket(adopting: bound.socket)))
      case (_, false):
        streams.append(
          StreamSocket(try ListeningSocket(address, backlog: options.backlog, options: options.bindOptions)))
      case (_, true): datagrams.append(AnsweringSocket(try DatagramSocket(address, options: options.bindOptions)))
      }
    } catch { throw Problem(description: "\(error)") }
    let isPath = address.port == nil
    let last = isDatagram ? datagrams.last?.socket.descriptor.number : streams.last?.socket.descriptor.number
    addresses.append(isPath ? address.description : ServiceSockets.boundAddress(last) ?? address.description)
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
