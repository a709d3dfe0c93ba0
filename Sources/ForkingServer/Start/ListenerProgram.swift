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
    if let problem = contradiction(in: options) {
      complain("\(problem); see --help")
      return usage
    }
    if options.name.isEmpty { options.name = options.serve?.rawValue ?? programName(options.program.words) }
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
      return options.stdio ? try serveOnce(options) : try listen(options)
    } catch {
      complain("\(options.name): \(error)")
      return (error as? ServiceSockets.Problem)?.isUsage == true ? usage : failure
    }
  }

  /// Options that do not go together; nil for none.
  private static func contradiction(in options: ListenerOptions) -> String? {
    let words = options.program.words
    if options.serve == nil, words.isEmpty { return "--serve SERVICE or -- PROGRAM is missing" }
    if options.serve != nil, !words.isEmpty { return "--serve and a program exclude each other" }
    if let path = words.first, !path.hasPrefix("/") { return "\(escaped(path.utf8)): a program's path begins with /" }
    if words.isEmpty, options.relay || options.wait { return "--relay and --wait need a program" }
    if options.relay, options.wait { return "--relay and --wait exclude each other" }
    if options.stdio, options.serve == nil { return "--stdio needs --serve" }
    if !options.commands.isEmpty, options.serve != .command { return "--command needs --serve command" }
    return nil
  }

  /// What a program is called where nothing else is said: the characters of its file's name that a name may have.
  private static func programName(_ words: [String]) -> String {
    let file = words.first?.split(separator: "/").last ?? ""
    let name = String(decoding: file.utf8.filter(isServiceNameByte).prefix(64), as: UTF8.self)
    return name.isEmpty ? "program" : name
  }

  private static func serveOnce(_ options: ListenerOptions) throws -> CInt {
    guard let builtIn = options.serve else { return usage }
    let programs = ProgramLoader(options: options, pendingSignals: nil)
    let service = try LoadedService(builtIn, options: options, programs: programs, errors: 2) {
      complain("\(options.name): \($0)")
    }
    guard case .service(let stream) = service.offer else { return usage }
    let address = Descriptor.withLent(0) { try? $0.peerAddress().address }
    let slot = UnsafeMutablePointer<begat_slot>.allocate(capacity: 1)
    slot.initialize(to: begat_slot())
    let limits = TimeLimits(firstByte: options.firstByteTimeout, idle: options.idleTimeout)
    var connection = Connection(
      input: Descriptor(owning: 0), output: Descriptor(owning: 1), peer: Peer(address: address), limits: limits,
      tally: Tally(slot))
    let process = ConnectionProcess(
      service: stream, limits: limits, names: nil, title: ConnectionProcess.title(of: options.name),
      listener: getppid())
    return process.serve(&connection) == Outcome.failedStatus ? failure : success
  }

  private static func listen(_ options: ListenerOptions) throws -> CInt {
    let sockets = try ServiceSockets(options)
    if !sockets.datagrams.isEmpty, let problem = datagramProblem(options) {
      throw ServiceSockets.Problem(description: problem, isUsage: true)
    }
    try sockets.closeOthers(knowing: options)
    var reporter = Reporter(channel: try options.channel.map(adopt), name: options.name)
    let scoreboard = try openScoreboard(options)
    let names = try openNames(options)
    let pendingSignals = try? ResourceLimit.pendingSignals.current()
    raiseSignalLimit(options, &reporter)
    try allowNice(options)
    try becomeUser(options)
    var warnings: [String] = []
    let programs = ProgramLoader(options: options, pendingSignals: pendingSignals)
    let errors = options.serve == nil || !options.commands.isEmpty ? try ProgramErrors() : nil
    let errorNumber = ProgramErrors.number(of: errors)
    let service =
      if let builtIn = options.serve {
        try LoadedService(builtIn, options: options, programs: programs, errors: errorNumber) { warnings.append($0) }
      } else {
        try LoadedService(
          program: programs, sockets: sockets.streams.count + sockets.datagrams.count, errors: errorNumber)
      }
    if geteuid() == 0, options.channel == nil { warnings.append("serves as root; give it a user with --user UID") }
    for warning in warnings { reporter.log(.warning, warning) }
    let title = ProcessTitle()
    switch title {
    case .some(let title): title.show(ConnectionProcess.title(of: options.name))
    case nil: break
    }
    var listener = try Listener(
      options: options, service: service, sockets: sockets, reporter: reporter, scoreboard: scoreboard, names: names,
      programErrors: errors, title: title)
    listener.run()
    return success
  }

  /// Why the service cannot have datagram sockets.
  private static func datagramProblem(_ options: ListenerOptions) -> String? {
    guard let builtIn = options.serve else {
      return options.wait ? nil : "a program gets a datagram socket with --wait yes only"
    }
    if !builtIn.answersDatagrams { return "\(builtIn.rawValue) is not defined for datagrams" }
    if builtIn.answersDatagramsToNamedOnly, options.admission.allow.isEmpty {
      return "\(builtIn.rawValue) answers datagrams only of those named by --allow: anybody else may be forged"
    }
    return nil
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
      return try Scoreboard(service: options.name, slotCount: options.admission.maxConnections)
    }
    return try Scoreboard(try adopt(number), service: options.name, slotCount: options.admission.maxConnections)
  }

  private static func openNames(_ options: ListenerOptions) throws(CallFailure) -> NameClient? {
    guard options.resolveNames, let cache = options.names, let requests = options.nameRequests else { return nil }
    return NameClient(cache: try NameCache(try adopt(cache), writable: false), requests: try adopt(requests))
  }

  /// Twice the connections: each may end while another's exit is still queued.
  private static func raiseSignalLimit(_ options: ListenerOptions, _ reporter: inout Reporter) {
    let wanted = UInt64(2 * options.admission.maxConnections)
    let reached = ResourceLimit.pendingSignals.raise(to: wanted)
    if reached < wanted {
      reporter.log(
        .warning,
        "the limit of pending signals is \(reached), not \(wanted): ends of connections may be noticed up to a second late"
      )
    }
  }

  /// A negative nice value is for root, which the listener will not be any more when it starts programs.
  private static func allowNice(_ options: ListenerOptions) throws(CallFailure) {
    guard options.program.nice < 0, options.user ?? geteuid() != 0 else { return }
    let wanted = UInt64(20 - options.program.nice)
    if ResourceLimit.nice.raise(to: wanted) < wanted {
      throw CallFailure(
        "setrlimit RLIMIT_NICE", on: "\(wanted), for nice \(options.program.nice)", errno: .notPermitted)
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
