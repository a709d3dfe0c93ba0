import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import Monitoring
import NetworkServices
import Settings
@_spi(Begat) import UnixCore

/// The loop of a listener: wait → signals → reap → accept → admit → fork, or execute.
///
/// It holds no descriptor, timer or thread per connection, so that a connection costs the same however many are open.
/// One step is out of this order: where a limit would refuse a client, `admit` reaps first, since a connection that
/// counts may have ended a moment ago.
struct Listener: ~Copyable {
  /// Numbers by which ready descriptors come back from the poller; sockets have the smaller ones.
  enum Token {
    static let stopSignals: UInt64 = 0x1_0000_0000
    static let channel: UInt64 = 0x1_0000_0001
    static let exits: UInt64 = 0x1_0000_0002
    static let work: UInt64 = 0x1_0000_0003
    static let programErrors: UInt64 = 0x1_0000_0004
    static let pipes: UInt64 = 0x1_0000_0005
    static let spares: UInt64 = 0x1_0000_0006
    static let datagrams: UInt64 = 0x1_0000
    static let headers: UInt64 = 0x2_0000
    static let allHeaders = headers..<(headers + UInt64(Antechamber.capacity))
    static let allDatagrams = datagrams..<(2 * datagrams)
  }

  let options: ListenerOptions
  let offer: Offer
  let offerKind: OfferKind
  /// Never freed: connection processes have it too.
  let process: Unmanaged<ConnectionProcess>
  /// Decides how much of a client's address is written down.
  let peerText: PeerText
  /// Whether the beginnings of connections are logged too.
  let logsOpenings: Bool
  var recordLimit: RecordLimit
  let datagramAnswers: DatagramAnswers?
  /// Announces clients, stop signals and the channel.
  let poller: Poller
  /// Announces all that and the ends of connections, for times without new clients.
  let quietPoller: Poller
  private let stopSignals: SignalQueue
  private let exits: SignalQueue
  let scoreboard: Scoreboard
  var sockets: ServiceSockets
  var reporter: Reporter
  var manager: ManagerReports
  var table: ConnectionTable
  var batch: RecordBatch
  var refusals: Refusals
  var programLog: ProgramLog
  var handover: HandoverState
  /// Whether each connection has a pipe of its own for standard error.
  let startsPrograms: Bool
  /// Whether clients may be accepted: before that, an earlier listener of the service accepts them.
  var hasBegun = false
  var emptying: Emptying
  /// Whether connections were told to end one by one, so that those that do not are to be killed.
  var hasEndOrders = false
  /// Whether the listener ends because it cannot serve any more.
  var hasFailed = false
  /// The line sent to refused clients, with its CR LF.
  let refusalLine: [UInt8]?
  let proxyHeaders: ProxyHeaders
  var antechamber: Antechamber
  var accepting = AcceptState()
  var drain: Drain?
  var memory: ListenerMemory
  /// When ended connections were last looked for that no signal announced.
  var lastSweep = Deadline.now
  /// Whether a client came a moment ago: then ends of connections wait for a turn that is taken anyway.
  var isBusy = false
  /// Keeps what begatd passes to a listener that shows it; nil for all others.
  let sharedState: SharedState?
  var spares: SparePool
  /// Never freed, so that a client that is held in `accepting` can give its place back, and in memory that spares inherit
  /// and connection processes do not.
  let settledAdmission: UnsafePointer<Admission>
  var admission: Admission { _read { yield settledAdmission.pointee } }

  /// The signal by which the kernel announces the end of a connection process: queued, one for each.
  static let exitSignal = Signal.realTime(1)!
  /// A copy, so that a fork does not first check whether the static one is initialised.
  let exitSignal = Listener.exitSignal

  init(
    options: ListenerOptions, service: LoadedService, sockets: ServiceSockets, reporter: consuming Reporter,
    manager: consuming ManagerReports, admission: consuming Admission, datagramAnswers: DatagramAnswers?,
    scoreboard: consuming Scoreboard,
    names: NameClient?, errors: ProgramErrors, title: consuming ProcessTitle?, memory: consuming ListenerMemory
  ) throws(SystemCallError) {
    let startsPrograms = options.runsPrograms
    let pollers = try ListenerPollers()
    let programLog = try ProgramLog(
      shared: errors, connections: startsPrograms ? options.admission.maxConnections : 0,
      forks: service.offer.kind.forks)
    try pollers.watch(
      channel: reporter.channelNumber, errors: errors.reading.number, pipes: programLog.poller.descriptor.number)
    let handover = try HandoverState(sockets, isUsed: service.offer.kind.handsOver)
    let spares = try SparePool(upTo: SparePool.limit(options, sockets), in: admission.room)
    let table = try ConnectionTable(capacity: options.admission.maxConnections, spares: spares.board.capacity)
    if let bell = spares.bellNumber {
      try pollers.urgent.add(bell, [.readable, .announcedOnce], token: Token.spares)
      admission.share(under: spares.board.lock)
    }
    let batch = try RecordBatch()
    let proxyHeaders = try ProxyHeaders(options)
    let antechamber = try Antechamber(isUsed: options.requiresProxies)
    process = .passRetained(
      ConnectionProcess(
        service: service.offer.connectionService,
        limits: TimeLimits(firstByte: options.firstByteTimeout, idle: options.idleTimeout), names: names,
        title: ConnectionProcess.title(of: options.name), listener: getpid(), processTitle: title,
        errors: errors.number, peerText: PeerText(options.logAddress), keeping: service.needed,
        startsProcesses: startsPrograms))
    peerText = PeerText(options.logAddress)
    logsOpenings = options.log == .open
    recordLimit = RecordLimit(options.logRateLimit)
    offer = service.offer
    offerKind = service.offer.kind
    self.memory = memory
    settledAdmission = admission.settle()
    refusals = Refusals(
      limits: options.admission, datagramLimits: options.datagramAdmission, peerText: PeerText(options.logAddress))
    self.startsPrograms = startsPrograms
    self.programLog = programLog
    self.handover = handover
    refusalLine = options.refusal.map { Array($0.utf8) + [13, 10] }
    self.datagramAnswers = datagramAnswers
    self.options = options
    self.sockets = sockets
    self.scoreboard = scoreboard
    self.reporter = reporter
    self.manager = manager
    sharedState = service.sharedState
    self.reporter.takesFiles = service.sharedState != nil
    poller = pollers.urgent
    quietPoller = pollers.quiet
    stopSignals = pollers.stopSignals
    exits = pollers.exits
    self.table = table
    self.batch = batch
    self.proxyHeaders = proxyHeaders
    self.antechamber = antechamber
    emptying = Emptying(isUnderWay: sockets.haveClosing)
    self.spares = spares
    self.scoreboard.header.pointee.spare_slots = UInt8(clamping: options.spareSlots)
    if self.reporter.channelNumber == nil { begin() }
  }

  /// Serves until it is told to stop and the last connection has ended.
  ///
  /// - Parameter confinement: is in force before the first client is accepted.
  /// - Returns: false if a socket failed for good.
  mutating func run(in confinement: consuming ServiceConfinement) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) { try process.takeUnretainedValue().warmUp(serves: !offerKind.runsPrograms) } catch {
      reporter.log(.warning, "\(error)")
    }
    scoreboard.keepHeaderFromChildren()
    let addresses = sockets.addresses
    let status = readyStatus
    // As a container's first process it inherits what other programs leave behind, and may have inherited some already.
    reapAll()
    // Late: pages that are written after it belong to the listener and to all of its children, and the kernel's walks to
    // their users take longer with each connection that is open.
    do throws(SystemCallError) { try memory.settle(process) } catch { reporter.log(.warning, "\(error)") }
    try confinement.enter()
    reporter.sayReady(addresses)
    if let status { manager.ready(status) }
    memory.leaveCleanPages()
    while !isDone { takeTurn() }
    finishLog()
    report()
    for file in sockets.files { file.removeIfOurs() }
    return !hasFailed
  }

  /// Waits for work, and does all that there is.
  private mutating func takeTurn() {
    let ready = waitForWork()
    if ready.hasStopSignals { takeStopSignals() }
    // A flood of refused clients costs nothing for processes that there are not.
    if ready.hasExits || !table.isEmpty || spares.demand.target > 0 { takeExits() }
    tendSpares()
    if ready.isChannel { readChannel() }
    if ready.hasProgramErrors { readSharedPipe() }
    if ready.hasPipes { readPipes() }
    advanceProgramLog()
    sweepIfDue()
    resumeIfPossible()
    if ready.headers != 0 { readHeaders(at: ready.headers) }
    closeLateConnections()
    advanceHandover()
    emptySockets()
    if offerKind.handsOver, case .handover(let program) = offer {
      if ready.streams | ready.datagrams != 0 {
        handOver(to: program, streams: ready.streams, datagrams: ready.datagrams)
      }
    } else {
      if ready.datagrams != 0 { answerDatagrams(ready.datagrams) }
      if ready.streams != 0 { accept(from: ready.streams) }
    }
    advanceDrain()
    sayRetiredIfDue()
    fillSpares()
    // While clients come, records gather until a message of them is full.
    if !isBusy { report() }
  }

  private var isDone: Bool {
    drain != nil && table.isEmpty && accepting.held == nil && antechamber.isEmpty && sockets.isEmpty
  }

  // MARK: Signals and exits

  /// How many signals of a kind are handled before clients are looked at again: any process of this user can send them
  /// faster than they are taken.
  private static let signalsPerTurn = 64

  private mutating func takeStopSignals() {
    for _ in 0..<Listener.signalsPerTurn {
      guard let arrival = stopSignals.take() else { return }
      if arrival.signal != .hangUp { stop() }
    }
  }

  mutating func takeExits() {
    var mayBeSeveral = false
    var hasForged = false
    var left = Listener.signalsPerTurn
    while left > 0, let exit = exits.take() {
      left -= 1
      // SIGCHLD stands for any number of exits.
      if exit.signal == .child { mayBeSeveral = true }
      // Any process of this user can forge the signal: only waitpid(2) is trusted.
      if !isChild(exit.process) || !reap(exit.process) { hasForged = true }
    }
    // Signals of exits wait behind forged ones, or are lost because the queue is full of them.  Until the next sweep the
    // connections that have ended would count against limits.
    if left == 0, hasForged { mayBeSeveral = true }
    guard mayBeSeveral else { return }
    reapAll()
    // The signal also tells that a child was stopped.
    endStoppedSpares()
  }

  private func isChild(_ process: Int32) -> Bool {
    table.contains(process) || spares.areUsed && spares.board.number(of: process) != nil
  }

  mutating func reapAll() {
    guard offerKind.runsPrograms else {
      while let (process, status) = Children.reapAny() { ended(process, status) }
      return
    }
    while let process = Children.peekAny(), reap(process) {}
  }

  /// Reaps an ended process.
  ///
  /// - Returns: false if it has not ended, or if its descendants have a grace period to tidy up.
  @discardableResult
  private mutating func reap(_ process: pid_t) -> Bool {
    // A process that was stopped must leave no descendants.  It is not reaped yet: the number is still its group's.
    if offerKind.runsPrograms, table.isEnding(process) {
      if offerKind.handsOver, waitsForGroup(of: process) { return false }
      Listener.send(.kill, to: process, withGroup: true)
    }
    guard let status = Children.reap(process) else { return false }
    ended(process, status)
    return true
  }

  static let sweepInterval: Duration = .seconds(1)

  /// Looks for exits that no signal announced, as it happens when the kernel's queue of signals is full.
  private mutating func sweepIfDue() {
    let now = Deadline.now
    for line in refusals.ended(now) { reporter.log(.notice, line, .clientsCounted) }
    sayConnectionsCounted(now)
    tellManager(now)
    guard !table.isEmpty, lastSweep.duration(to: now) >= Listener.sweepInterval else {
      if table.isEmpty { lastSweep = now }
      return
    }
    lastSweep = now
    reapAll()
    endOverdue(now)
  }

  // MARK: Log

  /// Logs a line that may be due.
  mutating func say(_ line: String?, _ kind: LogKind = .other) { if let line { reporter.log(.notice, line, kind) } }
}
