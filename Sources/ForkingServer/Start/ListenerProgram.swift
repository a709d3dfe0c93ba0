import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
import UnixIPC

/// begat-listener: from its command line to its exit status.
public enum ListenerProgram {
  /// Exit statuses of sysexits(3) and convention.
  private static let success: CInt = 0
  private static let failure: CInt = 1
  private static let usage: CInt = 64

  /// - Parameter arguments: the command line, the program's name first.
  public static func run(_ arguments: [String]) -> CInt {
    var options: ListenerOptions
    do throws(ListenerOptions.Problem) {
      options = try ListenerOptions(parsing: Array(arguments.dropFirst()))
    } catch {
      complain("\(error)")
      return usage
    }
    if options.help || options.version {
      let text = options.version ? "begat-listener \(BegatVersion.text)\n" : ListenerOptions.helpText
      let output = Descriptor(owning: 1)
      return (try? output.writeAll(text)) != nil ? success : failure
    }
    guard let builtIn = options.serve else {
      complain("--serve SERVICE is missing; see --help")
      return usage
    }
    if options.name.isEmpty { options.name = builtIn.rawValue }
    if options.group != nil || !options.groups.isEmpty, options.user == nil {
      complain("--group and --groups need --user")
      return usage
    }

    // Whatever the starter ignored or blocked: limits end connections by SIGALRM.
    for signal in [Signal.alarm, .child, .terminate, .interrupt, .hangUp, .quit] { signal.restoreDefault() }
    SignalSet().becomeMask()
    // Writing to a client that is gone is an error to look at, never a signal.
    for signal in [Signal.brokenPipe, .user1, .user2] { signal.ignore() }
    do {
      let closed = try StandardStreams.fillGaps()
      if options.stdio, let stream = closed.first(where: { $0 < 2 }) {
        complain("\(options.name): standard \(stream == 0 ? "input" : "output") is closed")
        return failure
      }
      return options.stdio ? try serveOnce(builtIn, options) : try listen(builtIn, options)
    } catch {
      complain("\(options.name): \(error)")
      return (error as? ServiceSockets.Problem)?.isUsage == true ? usage : failure
    }
  }

  private static func serveOnce(_ builtIn: BuiltIn, _ options: ListenerOptions) throws -> CInt {
    let service = try LoadedService(builtIn, options: options) { complain("\(options.name): \($0)") }
    let address = Descriptor.withLent(0) { try? $0.peerAddress().address }
    let slot = UnsafeMutablePointer<begat_slot>.allocate(capacity: 1)
    slot.initialize(to: begat_slot())
    let limits = TimeLimits(firstByte: options.firstByteTimeout, idle: options.idleTimeout)
    var connection = Connection(
      input: Descriptor(owning: 0), output: Descriptor(owning: 1), peer: Peer(address: address), limits: limits,
      tally: Tally(slot))
    let process = ConnectionProcess(
      service: service.stream, limits: limits, names: nil, title: ConnectionProcess.title(of: options.name),
      listener: getppid())
    return process.serve(&connection) == Outcome.failedStatus ? failure : success
  }

  private static func listen(_ builtIn: BuiltIn, _ options: ListenerOptions) throws -> CInt {
    let sockets = try ServiceSockets(options)
    if !sockets.datagrams.isEmpty, !builtIn.answersDatagrams {
      throw ServiceSockets.Problem(description: "\(builtIn.rawValue) is not defined for datagrams", isUsage: true)
    }
    var reporter = Reporter(channel: try options.channel.map(adopt), name: options.name)
    let scoreboard = try openScoreboard(options)
    let names = try openNames(options)
    raiseSignalLimit(options, &reporter)
    try becomeUser(options)
    var warnings: [String] = []
    let service = try LoadedService(builtIn, options: options) { warnings.append($0) }
    if geteuid() == 0, options.channel == nil { warnings.append("serves as root; give it a user with --user UID") }
    for warning in warnings { reporter.log(.warning, warning) }
    let title = ProcessTitle()
    switch title {
    case .some(let title): title.show(ConnectionProcess.title(of: options.name))
    case nil: break
    }
    var listener = try Listener(
      options: options, service: service, sockets: sockets, reporter: reporter, scoreboard: scoreboard, names: names,
      title: title)
    listener.run()
    return success
  }

  private static func adopt(_ number: CInt) throws(CallFailure) -> Descriptor {
    let descriptor = Descriptor(owning: number)
    do throws(CallFailure) {
      try descriptor.setCloseOnExec(true)
      return descriptor
    } catch {
      // Not open: there is nothing to close either.
      _ = descriptor.release()
      throw CallFailure("fcntl", on: "descriptor \(number)", errno: error.errno)
    }
  }

  private static func openScoreboard(_ options: ListenerOptions) throws(CallFailure) -> Scoreboard {
    guard let number = options.scoreboard else {
      return try Scoreboard(service: options.name, slotCount: options.maxConnections)
    }
    return try Scoreboard(try adopt(number), service: options.name, slotCount: options.maxConnections)
  }

  private static func openNames(_ options: ListenerOptions) throws(CallFailure) -> NameClient? {
    guard options.resolveNames, let cache = options.names, let requests = options.nameRequests else { return nil }
    return NameClient(cache: try NameCache(try adopt(cache), writable: false), requests: try adopt(requests))
  }

  /// Twice the connections: each may end while another's exit is still queued.
  private static func raiseSignalLimit(_ options: ListenerOptions, _ reporter: inout Reporter) {
    let wanted = UInt64(2 * options.maxConnections)
    let reached = ResourceLimit.pendingSignals.raise(to: wanted)
    if reached < wanted {
      reporter.log(
        .warning,
        "the limit of pending signals is \(reached), not \(wanted): ends of connections may be noticed up to a second late"
      )
    }
  }

  private static func becomeUser(_ options: ListenerOptions) throws(CallFailure) {
    if let user = options.user {
      try Identity(user: user, group: options.group ?? user, groups: options.groups).become()
    }
    try ProcessControl.forbidNewPrivileges()
  }

  private static func complain(_ text: String) { try? StandardError.writeAtOnce("begat-listener: \(text)\n") }
}
