import ControlProtocol
import Glibc
import NetworkServices
import Settings
@_spi(Begat) import UnixCore

/// begat-listener: from its command line to its exit status.
public enum ListenerProgram {
  /// Exit statuses of sysexits(3) and convention.
  private static let success: CInt = 0
  private static let failure: CInt = 1
  private static let usage: CInt = 64

  /// - Parameter arguments: the command line, the program's name first.
  /// - Parameter program: memory of the program for connection processes.
  public static func run(_ arguments: [String], in program: ProgramMemory) -> CInt {
    let parsed: ParsedListenerOptions
    do throws(ListenerOptionProblem) {
      parsed = try ListenerOptions.parse(Array(arguments.dropFirst()))
    } catch {
      complain("\(error)")
      return end(usage)
    }
    if parsed.options.help || parsed.options.version {
      let text = parsed.options.version ? "begat-listener \(BegatVersion.text)\n" : ListenerOptions.helpText
      return Descriptor.withBorrowed(STDOUT_FILENO) { (try? $0.writeAll(text)) != nil ? success : failure }
    }
    restoreSignals()
    do {
      if parsed.options.stdio {
        let settings = try ListenerSettings(parsed, passed: [])
        if try closedStream(settings.options) { return failure }
        return try StandardConnection.serve(settings) ? success : failure
      }
      var sockets = try ServiceSockets(adopting: parsed.options)
      let settings = try ListenerSettings(parsed, passed: sockets.servedKinds)
      _ = try closedStream(settings.options)
      try sockets.bind(settings)
      return try listen(settings, consume sockets, in: program)
    } catch let problem as ListenerOptionProblem {
      complain("\(problem)")
      return end(usage)
    } catch {
      complain("\(name(of: parsed.options)): \(error)")
      return end((error as? ServiceSockets.Problem)?.isUsage == true ? usage : failure)
    }
  }

  /// Waits before a listener ends that could not start: a service manager starts it again immediately.  Only a change of
  /// its unit helps against a wrong command line.
  ///
  /// A stop signal ends the wait, and the listener.
  private static func end(_ status: CInt) -> CInt {
    guard ServiceManagerStart.isDirect, getenv("NOTIFY_SOCKET") != nil else { return status }
    SignalSet().setThreadMask()
    SystemClock.sleep(for: status == usage ? .seconds(60) : .seconds(10))
    return status
  }

  /// Restores signals that the starter ignored or blocked: time limits end connections by SIGALRM.
  private static func restoreSignals() {
    for signal in [Signal.alarm, .child, .terminate, .interrupt, .hangUp, .quit] { signal.restoreDefault() }
    SignalSet().setThreadMask()
    // Writing to a client that is gone is an error to look at, never a signal; so is a file that may grow no more, and a
    // terminal whose background may not write.
    for signal in [Signal.brokenPipe, .user1, .user2, .fileSizeLimit, .backgroundWrite] { signal.ignore() }
  }

  /// Opens standard streams that the starter closed; returns true, with a complaint, if one was to be the connection.
  private static func closedStream(_ options: ListenerOptions) throws -> Bool {
    let closed = try StandardStreams.ensureOpen()
    guard options.stdio, let stream = closed.first(where: { $0 < 2 }) else { return false }
    complain("\(options.name): standard \(stream == 0 ? "input" : "output") is closed")
    return true
  }

  private static func name(of options: ListenerOptions) -> String {
    options.name.isEmpty ? options.service.serve?.rawValue ?? "program" : options.name
  }

  private static func listen(
    _ settings: ListenerSettings, _ sockets: consuming ServiceSockets, in program: ProgramMemory
  ) throws -> CInt {
    let options = settings.options
    try sockets.closeOthers(knowing: options)
    var reporter = Reporter(
      channel: try options.channel.map(Descriptor.init(adopting:)),
      keptChannel: try options.keptChannel.map(Descriptor.init(adopting:)), name: options.name)
    let manager = ManagerReports(isUsed: options.channel == nil)
    // Before the identity changes: the directory is the starter's.
    let ownBoard =
      options.scoreboard == nil
      ? StandaloneBoard.make(service: options.name, slotCount: options.slotCount) : nil
    let scoreboard = try openScoreboard(options, ownBoard)
    scoreboard.setAddressForm(options.logAddress)
    if options.scoreboard == nil { scoreboard.show(sockets.shownAddresses) }
    let shared = try SharedAdmission(options)
    let names = try openNames(options)
    let pendingSignals = try? ResourceLimit.pendingSignals.current()
    raiseSignalLimit(options, &reporter)
    try allowNice(settings)
    let memory = ListenerMemory(pages: FileBackedMemory.openPages(), threadPages: program.threadPages)
    try settings.giveUpPrivileges()
    var warnings = sockets.warnings
    let programs = ProgramLoader(options: options, pendingSignals: pendingSignals)
    let errors = try ProgramErrors(
      label: options.runsPrograms ? "program: " : "connection process: ", rate: ProgramLineRate())
    let errorNumber = errors.number
    let service =
      if let builtIn = options.serve {
        try LoadedService(builtIn, options: options, programs: programs, errors: errorNumber) { warnings.append($0) }
      } else {
        try LoadedService(program: programs, errors: errorNumber)
      }
    let confinement = try confinement(of: options, sockets, ownBoard)
    if options.channel == nil {
      if settings.servesAsRoot { warnings.append(ListenerSettings.rootWarning) }
      // Otherwise begatd has logged them, once for all services.
      warnings += confinement.warnings
    }
    for warning in warnings { reporter.log(.warning, warning) }
    // Connection processes show their clients there, on a page that they write anyway.
    let title = ProcessTitle { PrivateStack.leaveFirst(for: program.stack, room: 512) }
    switch title {
    case .some(let title): title.show(ConnectionProcess.title(of: options.name))
    case nil: break
    }
    let spareRoom = SpareMemory.size(capacity: SparePool.limit(options, sockets))
    let admission = try shared.admission(options.admission, room: spareRoom)
    let datagramAnswers = try datagramAnswers(of: service, at: sockets, shared, options)
    _ = consume shared
    // The listener alone has the sockets: it closes them at a stop.
    var listener = try Listener(
      options: options, service: service, sockets: consume sockets, reporter: reporter, manager: manager,
      admission: admission,
      datagramAnswers: datagramAnswers, scoreboard: scoreboard, names: names,
      errors: errors, title: title, memory: memory)
    let isSuccess = try listener.run(in: consume confinement)
    switch ownBoard {
    case .some(let board): board.remove()
    case nil: break
    }
    return isSuccess ? success : failure
  }

  /// Prepares the answers to datagrams; nil for a listener without datagram sockets, whose forks would pay for the memory.
  private static func datagramAnswers(
    of service: LoadedService, at sockets: borrowing ServiceSockets, _ shared: borrowing SharedAdmission,
    _ options: ListenerOptions
  ) throws(SystemCallError) -> DatagramAnswers? {
    guard let datagram = service.datagram, !sockets.datagrams.isEmpty else { return nil }
    return try DatagramAnswers(
      datagram, admission: try shared.admission(options.datagramAdmission, of: .datagrams),
      ownPorts: options.datagramPorts + sockets.datagramPorts)
  }

  private static func confinement(
    of options: ListenerOptions, _ sockets: borrowing ServiceSockets, _ ownBoard: borrowing StandaloneBoard?
  ) throws(SystemCallError) -> ServiceConfinement {
    var duties = ServiceConfinement.Duties(
      answersDatagrams: !sockets.datagrams.isEmpty, answersUnixDatagrams: sockets.kinds.contains(.unixDatagram),
      directories: sockets.files.map(\.path.parent),
      exitSignal: Listener.exitSignal)
    switch ownBoard {
    case .some(let board): duties.directories.append(UnixPath(board.directory))
    case nil: break
    }
    return try ServiceConfinement(options, duties)
  }

  private static func openScoreboard(
    _ options: ListenerOptions, _ own: borrowing StandaloneBoard?
  ) throws(SystemCallError) -> Scoreboard {
    guard let number = options.scoreboard else {
      switch own {
      case .some(let board):
        return try Scoreboard(board.object, service: options.name, slotCount: options.slotCount)
      case nil: return try Scoreboard(service: options.name, slotCount: options.slotCount)
      }
    }
    return try Scoreboard(
      try Descriptor(adopting: number), service: options.name, slotCount: options.slotCount)
  }

  private static func openNames(_ options: ListenerOptions) throws(SystemCallError) -> NameClient? {
    guard options.looksUpNames, let cache = options.names, let requests = options.nameRequests else { return nil }
    return NameClient(
      cache: try NameCache(try Descriptor(adopting: cache), writable: false),
      requests: try Descriptor(adopting: requests))
  }

  /// Twice the connections: each may end while another's exit is still queued.
  private static func raiseSignalLimit(_ options: ListenerOptions, _ reporter: inout Reporter) {
    let wanted = UInt64(2 * options.slotCount)
    let reached = ResourceLimit.pendingSignals.raise(to: wanted)
    if reached < wanted {
      reporter.log(
        .warning,
        "the limit of pending signals is \(reached), not \(wanted): ends of connections may be noticed up to a second late"
      )
    }
  }

  /// A negative nice value needs a capability, which the listener will not have any more when it starts programs.
  private static func allowNice(_ settings: ListenerSettings) throws(SystemCallError) {
    let nice = settings.options.program.nice
    guard nice < 0 else { return }
    let wanted = UInt64(20 - nice)
    if ResourceLimit.nice.raise(to: wanted) < wanted {
      throw SystemCallError("setrlimit RLIMIT_NICE", on: "\(wanted), for nice \(nice)", code: .notPermitted)
    }
  }

  static func complain(_ text: String, _ severity: Severity = .error) {
    StandardErrorMessage.write(text, severity, of: "begat-listener")
  }
}
