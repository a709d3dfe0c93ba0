import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
import Settings
import UnixIPC

/// The loop of a listener: wait → signals → reap → accept → admit → fork, or execute.
///
/// It holds no descriptor, timer or thread per connection, so that a connection costs the same however many are open.
/// One step is out of this order: where a limit would refuse a client, `admit` reaps first, since a connection that
/// counts may have ended a moment ago.
struct Listener: ~Copyable {
  /// Numbers by which ready descriptors come back from the poller; sockets have the smaller ones.
  enum Token {
    static let orders: UInt64 = 0x1_0000_0000
    static let channel: UInt64 = 0x1_0000_0001
    static let exits: UInt64 = 0x1_0000_0002
    static let work: UInt64 = 0x1_0000_0003
    static let programErrors: UInt64 = 0x1_0000_0004
    static let datagrams: UInt64 = 0x1_0000
    static let allDatagrams = datagrams..<(2 * datagrams)
  }

  let options: ListenerOptions
  let offer: Offer
  /// Not optional: it would be copied out for each connection, and counting its references is writing to shared pages.
  let process: ConnectionProcess
  let admission: Admission
  let datagramAnswers: DatagramAnswers?
  let title: ProcessTitle?
  /// Clients, orders and the channel.
  let poller: Poller
  /// All that and the ends of connections, for when no client is in a hurry.
  private let quietPoller: Poller
  private let orders: SignalQueue
  private let exits: SignalQueue
  let scoreboard: Scoreboard
  var sockets: ServiceSockets
  var reporter: Reporter
  var table: ConnectionTable
  var batch: RecordBatch
  var refusals: Refusals
  var programErrors: ProgramErrors?
  var programLog = ProgramLog()
  var handover: Handover
  /// Whether the end of a connection may leave a program's last words behind.
  let hasProgramWords: Bool
  /// Whether it ends because it cannot serve any more.
  var hasFailed = false
  /// What the refused are told, with its line's end.
  let refusalLine: [UInt8]?
  var accepting = AcceptState()
  var drain: Drain?
  private var lastSweep = Deadline.now
  /// Whether a client came a moment ago: then ends of connections wait for a turn that is taken anyway.
  var isBusy = false

  /// The signal by which the kernel announces the end of a connection process: queued, one for each.
  static let exitSignal = Signal.realTime(1)

  init(
    options: ListenerOptions, service: LoadedService, sockets: ServiceSockets, reporter: consuming Reporter,
    scoreboard: consuming Scoreboard, names: NameClient?, programErrors: consuming ProgramErrors?,
    title: consuming ProcessTitle?
  ) throws(CallFailure) {
    let limits = TimeLimits(firstByte: options.firstByteTimeout, idle: options.idleTimeout)
    let datagramAnswers = try service.datagram.map { service throws(CallFailure) in
      try DatagramAnswers(
        service, limits: options.datagramAdmission, ownPorts: options.datagramPorts + sockets.datagramPorts)
    }
    let admission = try Admission(options.admission)
    let poller = try Poller()
    let quietPoller = try Poller()
    let orders = try SignalQueue(SignalSet(.terminate, .interrupt, .quit, .hangUp))
    // The kernel announces the end of an executed program by SIGCHLD, whatever its process was made with.
    let exits = try SignalQueue(SignalSet(Listener.exitSignal, .child))
    try poller.add(orders.descriptor.number, .readable, token: Token.orders)
    try quietPoller.add(exits.descriptor.number, .readable, token: Token.exits)
    try quietPoller.add(poller.descriptor.number, .readable, token: Token.work)
    if let channel = reporter.channelNumber { try poller.add(channel, .readable, token: Token.channel) }
    if case .service = service.offer {
      for (index, entry) in sockets.datagrams.enumerated() {
        try poller.add(entry.socket.descriptor.number, .readable, token: Token.datagrams + UInt64(index))
      }
    }
    let errors: ProgramErrors
    let startsPrograms = service.offer.runsPrograms || !options.commands.isEmpty
    switch consume programErrors {
    case .some(let given): errors = given
    case nil: errors = try ProgramErrors(label: startsPrograms ? "program: " : "connection process: ")
    }
    try poller.add(errors.reading.number, .readable, token: Token.programErrors)
    let errorsNumber = errors.writing.number
    let handsOver = if case .handover = service.offer { true } else { false }
    let handover = try Handover(sockets, isUsed: handsOver)
    let table = try ConnectionTable(capacity: options.admission.maxConnections)
    let batch = try RecordBatch()
    let served: any NetworkService =
      switch service.offer {
      case .service(let builtIn): builtIn
      case .relay(let relay): relay
      case .program, .handover: NothingServed()
      }
    process = ConnectionProcess(
      service: served, limits: limits, names: names, title: ConnectionProcess.title(of: options.name),
      listener: getpid(), errors: errorsNumber, keeping: service.needed)
    offer = service.offer
    self.admission = admission
    refusals = Refusals(limits: options.admission, datagramLimits: options.datagramAdmission)
    self.programErrors = consume errors
    hasProgramWords = startsPrograms
    self.handover = handover
    refusalLine = options.refusal.map { Array($0.utf8) + [13, 10] }
    self.datagramAnswers = datagramAnswers
    self.options = options
    self.sockets = sockets
    self.scoreboard = scoreboard
    self.title = title
    self.reporter = reporter
    self.poller = poller
    self.quietPoller = quietPoller
    self.orders = orders
    self.exits = exits
    self.table = table
    self.batch = batch
    watchSockets(true)
  }

  /// Serves until it is told to stop and the last connection has ended.
  ///
  /// - Returns: false if a socket failed for good.
  mutating func run() -> Bool {
    if case .service = offer {
      do throws(CallFailure) { try process.warmUp() } catch { reporter.log(.warning, "\(error)") }
    }
    Heap.trim()
    do throws(CallFailure) { try Heap.settle() } catch { reporter.log(.warning, "\(error)") }
    reporter.sayReady(sockets.addresses)
    while !isDone {
      var readyStreams: UInt64 = 0
      var isChannelReady = false
      var readyDatagrams: UInt64 = 0
      var hasProgramErrors = false
      poller.wait(milliseconds: waitForQuietWork()) { event in
        switch event.token {
        case Token.orders: break
        case Token.channel: isChannelReady = true
        case Token.programErrors: hasProgramErrors = true
        case Token.allDatagrams: readyDatagrams |= 1 << (event.token & 63)
        default: readyStreams |= 1 << (event.token & 63)
        }
      }
      takeOrders()
      takeExits()
      if isChannelReady, !reporter.readChannel() { channelClosed() }
      if hasProgramErrors { readProgramErrors() }
      advanceProgramLog()
      sweepIfDue()
      resumeIfPossible()
      advanceHandover()
      if case .handover(let program) = offer {
        if readyStreams | readyDatagrams != 0 {
          handOver(to: program, streams: readyStreams, datagrams: readyDatagrams)
        }
      } else {
        if readyDatagrams != 0 { answerDatagrams(readyDatagrams) }
        if readyStreams != 0, drain == nil { accept(from: readyStreams) }
      }
      advanceDrain()
      // While clients come, records gather until a message of them is full.
      if !isBusy { report() }
    }
    finishLog()
    report()
    for file in sockets.files { file.removeIfOurs() }
    return !hasFailed
  }

  private var isDone: Bool { drain != nil && table.isEmpty && accepting.held == nil }

  // MARK: Waiting

  /// Waits for work that clients, stop signals and the channel do not announce.
  ///
  /// While clients come, ends of connections wake nobody: they are taken in the turns that clients cause.  A moment
  /// after the last client they are waited for as well.
  ///
  /// - Returns: how many milliseconds to wait for clients, orders and the channel after that; -1 for ever.
  private mutating func waitForQuietWork() -> CInt {
    let limit = timeUntilWork()
    if isBusy, accepting.pause == nil, drain == nil {
      isBusy = false
      return limit < 0 ? Listener.busyMilliseconds : min(limit, Listener.busyMilliseconds)
    }
    quietPoller.wait(milliseconds: limit) { _ in }
    return 0
  }

  private static let busyMilliseconds: CInt = 10

  /// Milliseconds until something is due that no descriptor announces; -1 when nothing is.
  private func timeUntilWork() -> CInt {
    var due = Deadline.never
    if !table.isEmpty { due = lastSweep.advanced(by: Listener.sweepInterval) }
    if let retry = accepting.retryTime { due = min(due, retry) }
    due = min(due, refusals.due, handover.due, programLog.due)
    if let drain { due = min(due, drain.deadline, drain.groupCheck ?? .never) }
    return due.milliseconds
  }

  // MARK: Signals and exits

  private mutating func takeOrders() {
    while let order = orders.take() {
      if order.signal != .hangUp { stop() }
    }
  }

  /// How many announced exits are handled before clients are looked at again.
  private static let exitsPerTurn = 64

  mutating func takeExits() {
    var mayBeSeveral = false
    // A flood of forged signals must not keep clients waiting: what is left is taken in the next turn.
    for _ in 0..<Listener.exitsPerTurn {
      guard let exit = exits.take() else { break }
      // SIGCHLD stands for any number of exits.
      if exit.signal == .child { mayBeSeveral = true }
      // Anybody of the same user may forge the signal: only waitpid(2) is believed, and only for our own.
      if table.contains(exit.process) { fetch(exit.process) }
    }
    if mayBeSeveral { reapAll() }
  }

  mutating func reapAll() {
    guard offer.runsPrograms else {
      while let (process, status) = Children.reapAny() { ended(process, status) }
      return
    }
    while let process = Children.peekAny(), fetch(process) {}
  }

  /// Reaps an ended process; false when it has not ended, or what it started may tidy up for another moment.
  @discardableResult
  private mutating func fetch(_ process: pid_t) -> Bool {
    // What was told to end leaves nobody behind.  Not reaped yet: the number is still its group's.
    if offer.runsPrograms, table.isEnding(process) {
      if case .handover = offer, waitsForGroup(of: process) { return false }
      Listener.send(.kill, to: process, withGroup: true)
    }
    guard let status = Children.reap(process) else { return false }
    ended(process, status)
    return true
  }

  private static let sweepInterval: Duration = .seconds(1)

  /// The net under the queue: when the kernel's queue of signals is full, exits are announced by nothing at all.
  private mutating func sweepIfDue() {
    let now = Deadline.now
    for line in refusals.ended(now) { reporter.log(.notice, line) }
    guard !table.isEmpty, lastSweep.duration(to: now) >= Listener.sweepInterval else {
      if table.isEmpty { lastSweep = now }
      return
    }
    lastSweep = now
    reapAll()
    endOverdue(now)
  }

  // MARK: What is said

  /// Logs a line that may be due.
  mutating func say(_ line: String?) { if let line { reporter.log(.notice, line) } }
}
