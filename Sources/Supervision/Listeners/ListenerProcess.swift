import Configuration
import ControlProtocol
import Glibc
import Settings
import UnixIPC

/// A listener that runs: its process and the channel to it.
final class ListenerProcess {
  let process: pid_t
  let channel: Descriptor
  /// CLOCK_MONOTONIC, nanoseconds.
  let started = Clock.monotonic()
  /// When it said that it serves; nil before that.
  var readySince: Int64?
  /// The last question that it answered.
  var lastAnswer: UInt32

  init(process: pid_t, channel: consuming Descriptor, lastAnswer: UInt32) {
    self.process = process
    self.channel = channel
    self.lastAnswer = lastAnswer
  }
}

/// Starts listeners: a program beside begatd, with a built environment and exactly the descriptors it needs.
struct ListenerStarter {
  /// The path of begat-listener.
  let program: String
  let drainTimeout: Duration
  let names: NameResolver?
  /// The descriptor that listeners get as standard error.
  let standardError: CInt
  /// Ports at which any service of begatd's answers datagrams.
  let datagramPorts: [UInt16]

  /// Source: proc_pid_exe(5).
  static func programBesideThis() throws(CallFailure) -> String {
    let own = ProgramFile.own ?? "/usr/sbin/begatd"
    let directory = own.lastIndex(of: "/").map { own[..<$0] } ?? "/usr/sbin"
    let program = "\(directory)/begat-listener"
    guard access(program, X_OK) == 0 else { throw CallFailure("execve", on: program, errno: Errno(rawValue: errno)) }
    return program
  }

  /// Starts the listener of a service.
  ///
  /// - Parameter lastQuestion: the number of the question last asked, which a new listener need not answer.
  func start(_ service: ManagedService, lastQuestion: UInt32) throws(CallFailure) -> ListenerProcess {
    let configuration = service.configuration
    let scoreboard = try Scoreboard.create(slotCount: configuration.settings.admission.maxConnections)
    let channel = try Descriptor.socketPair(kind: sequencedPacketKind)
    var descriptors: [CInt] = [StandardStreams.null.number, StandardStreams.null.number, standardError]
    func pass(_ number: CInt) -> CInt {
      descriptors.append(number)
      return CInt(descriptors.count - 1)
    }

    let asksForNames = configuration.settings.looksUpNames && names != nil
    var options = ListenerOptions(configuration, hasResolver: asksForNames)
    options.sockets = service.sockets.map { pass($0.descriptor.number) }
    options.drainTimeout = drainTimeout
    options.datagramPorts = datagramPorts
    options.channel = pass(channel.writing.number)
    options.scoreboard = pass(scoreboard.number)
    if asksForNames, let names {
      options.names = pass(names.cacheObject.number)
      options.nameRequests = pass(names.requests.number)
    }

    var program = Program(
      path: program, arguments: ["begat-listener: \(configuration.name)"] + options.arguments,
      environment: ProgramEnvironment.build(), directory: "/")
    program.leadsSession = true
    let process = try program.start(descriptors: descriptors)
    return ListenerProcess(process: process, channel: channel.reading, lastAnswer: lastQuestion)
  }
}

extension ListenerOptions {
  /// The settings of a service, for a listener that gets its sockets passed.
  ///
  /// - Parameter hasResolver: whether the listener can ask for names of hosts.
  init(_ configuration: ServiceConfiguration, hasResolver: Bool) {
    self.init()
    var mode = configuration.mode
    mode.bound = []
    mode.hasResolver = hasResolver
    service = configuration.settings.effective(in: mode)
    service.enabled = true
    service.listenStream = []
    service.listenDatagram = []
    service.allow = configuration.allow.map { $0.map(\.peer.description) }
    service.deny = configuration.deny.map(\.peer.description)
    name = configuration.name
    service.user = configuration.identity.map { String($0.user) }
    service.group = configuration.identity.map { String($0.group) }
    groups = configuration.identity?.groups ?? []
  }
}
