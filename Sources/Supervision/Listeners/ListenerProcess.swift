import Configuration
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// A listener that runs: its process and the channel to it.
final class ListenerProcess {
  /// Counts the listeners of a service, from 1.
  let number: UInt64
  let process: pid_t
  let channel: Descriptor
  /// Its scoreboard.
  let board: ScoreboardReader
  /// CLOCK_MONOTONIC nanoseconds.
  let startTime = SystemClock.monotonic()
  /// When it said that it serves, CLOCK_MONOTONIC nanoseconds; nil before that.
  var readySince: Int64?
  /// Until when it has time to become ready.
  var startDeadline = SystemClock.monotonic() + Supervisor.startPatience
  /// Whether begatd has ended it.
  var isEnded = false
  var inquiry = Inquiry()

  init(number: UInt64, process: pid_t, channel: consuming Descriptor, board: ScoreboardReader) {
    self.number = number
    self.board = board
    self.process = process
    self.channel = channel
  }

  func isLate(_ now: Int64) -> Bool { readySince == nil && !isEnded && now >= startDeadline }

  /// Whether it was ended by another process's signal, not by a fault of its own.
  func wasEndedFromOutside(_ status: ExitStatus) -> Bool {
    guard readySince != nil, !isEnded else { return false }
    return switch status {
    // It drains when it is told to, and ends well.
    case .exited(let code): code == 0
    case .killed(let signal, let dumpedCore): !dumpedCore && !ListenerProcess.crashes.contains(signal)
    case .unknown: false
    }
  }

  private static let crashes = [SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ].map(
    Signal.init(rawValue:))
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
  static func programBesideThis() throws(SystemCallError) -> String {
    let own = ProgramFile.own ?? "/usr/sbin/begatd"
    let directory = own.lastIndex(of: "/").map { own[..<$0] } ?? "/usr/sbin"
    let program = "\(directory)/begat-listener"
    guard access(program, X_OK) == 0 else {
      throw SystemCallError("execve", on: program, code: ErrorCode(rawValue: errno))
    }
    return program
  }

  /// Starts the listener of a service.
  func start(_ service: ManagedService) throws(SystemCallError) -> ListenerProcess {
    let configuration = service.configuration
    let slotCount = configuration.settings.admission.maxConnections
    let scoreboard = try Scoreboard.create(slotCount: slotCount)
    let board = try ScoreboardReader(scoreboard, slotCount: slotCount)
    let channel = try SocketPair(kind: .sequencedPacket)
    var descriptors: [CInt] = [StandardStreams.null.number, StandardStreams.null.number, standardError]
    func pass(_ number: CInt) -> CInt {
      descriptors.append(number)
      return CInt(descriptors.count - 1)
    }

    let asksForNames = configuration.settings.looksUpNames && names != nil
    var options = ListenerOptions(configuration, sockets: service.socketKinds, hasResolver: asksForNames)
    options.sockets = service.sockets.map { pass($0.descriptor.number) }
    options.drainTimeout = drainTimeout
    options.datagramPorts = datagramPorts
    options.channel = pass(channel.second.number)
    options.scoreboard = pass(scoreboard.number)
    if asksForNames, let names {
      options.names = pass(names.cacheObject.number)
      options.nameRequests = pass(names.requests.number)
    }

    var program = Program(
      path: program, arguments: options.arguments,
      environment: ProgramEnvironment.build(), directory: "/")
    program.argumentZero = "begat-listener: \(configuration.name)"
    program.leadsSession = true
    let process = try program.start(descriptors: descriptors)
    return ListenerProcess(
      number: service.nextListenerNumber(), process: process, channel: channel.first, board: board)
  }
}
