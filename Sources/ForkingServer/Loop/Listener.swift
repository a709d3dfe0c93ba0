import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
import UnixIPC

/// The loop of a listener: wait → signals → reap → accept → admit → fork, or execute.
///
/// It holds no descriptor, timer or thread per connection, so that a connection costs the same however many are open.
struct Listener: ~Copyable {
  /// Numbers by which ready descriptors come back from the poller; sockets have the smaller ones.
  enum Token {
    static let orders: UInt64 = 1 << 32
    static let channel: UInt64 = 1 << 32 + 1
    static let exits: UInt64 = 1 << 32 + 2
    static let work: UInt64 = 1 << 32 + 3
    static let programErrors: UInt64 = 1 << 32 + 4
    static let datagrams: UInt64 = 1 << 16
  }

  /// How many connections of one socket are accepted before the others, exits and signals are looked at again.
  private static let acceptsPerTurn = 32

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
  /// Nil where no programs run.
  var programErrors: ProgramErrors?
  var handover = Handover()
  /// What the refused are told, with its line's end.
  private let refusalLine: [UInt8]?
  var accepting = AcceptState()
  var drain: Drain?
  private var lastSweep = Clock.monotonic()
  /// Whether a client came a moment ago: then ends of connections wait for a turn that is taken anyway.
  private var isBusy = false

  /// The signal by which the kernel announces the end of a connection process: queued, one for each.
  static let exitSignal = Signal.realTime(1)

  init(
    options: ListenerOptions, service: LoadedService, sockets: ServiceSockets, reporter: consuming Reporter,
    scoreboard: consuming Scoreboard, names: NameClient?, programErrors: consuming ProgramErrors?,
    title: consuming ProcessTitle?
  ) throws(CallFailure) {
    let limits = TimeLimits(firstByte: options.firstByteTimeout, idle: options.idleTimeout)
    let datagramAnswers = try service.datagram.map { service throws(CallFailure) in
      try DatagramAnswers(service, limits: options.datagramAdmission, ownPorts: options.datagramPorts)
    }
    let admission = try Admission(options.admission, isShared: false)
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
    switch programErrors {
    case .some(let errors): try poller.add(errors.reading.number, .readable, token: Token.programErrors)
    case nil: break
    }
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
      listener: getpid(), keeping: service.needed)
    offer = service.offer
    self.admission = admission
    refusals = Refusals(limits: options.admission, datagramLimits: options.datagramAdmission)
    self.programErrors = programErrors
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
  mutating func run() {
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
        case Token.datagrams...: readyDatagrams |= 1 << (event.token & 63)
        default: readyStreams |= 1 << (event.token & 63)
        }
      }
      takeOrders()
      takeExits()
      if isChannelReady, !reporter.readChannel() { channelClosed() }
      if hasProgramErrors { readProgramErrors() }
      sweepIfDue()
      resumeIfPossible()
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
  }

  private var isDone: Bool { drain != nil && table.isEmpty && accepting.heldConnection == nil }

  // MARK: Waiting

  /// Waits until there is something to do, as far as clients, orders and the channel cannot tell it.
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
    var due = Int64.max
    if !table.isEmpty { due = lastSweep + Listener.sweepInterval }
    if let retry = accepting.retryTime { due = min(due, retry) }
    due = min(due, refusals.due)
    if let drain { due = min(due, drain.deadline) }
    guard due < .max else { return -1 }
    // Rounded up: waking too early would mean turning without work.
    return CInt(clamping: max(0, due - Clock.monotonic() + 999_999) / 1_000_000)
  }

  // MARK: Signals and exits

  private mutating func takeOrders() {
    while let order = orders.take() {
      if order.signal != .hangUp { stop() }
    }
  }

  private mutating func takeExits() {
    var mayBeSeveral = false
    while let exit = exits.take() {
      // SIGCHLD stands for any number of exits.
      if exit.signal == .child { mayBeSeveral = true }
      // Anybody of the same user may forge the signal: only waitpid(2) is believed, and only for our own.
      if table.contains(exit.process) { fetch(exit.process) }
    }
    if mayBeSeveral { reapAll() }
  }

  private mutating func reapAll() {
    guard offer.runsPrograms else {
      while let (process, status) = ChildProcess.reapAny() { ended(process, status) }
      return
    }
    while let process = ChildProcess.peekAny(), fetch(process) {}
  }

  /// Fetches an ended process; false when it has not ended.
  @discardableResult
  private mutating func fetch(_ process: pid_t) -> Bool {
    // What was told to end leaves nobody behind.  Not fetched yet: the number is still its group's.
    if offer.runsPrograms, table.isEnding(process) { Listener.send(.kill, to: process, withGroup: true) }
    guard let status = ChildProcess.reap(process) else { return false }
    ended(process, status)
    return true
  }

  private static let sweepInterval: Int64 = 1_000_000_000

  /// The net under the queue: when the kernel's queue of signals is full, exits are announced by nothing at all.
  private mutating func sweepIfDue() {
    let now = Clock.monotonic()
    for line in refusals.ended(now) { reporter.log(.notice, line) }
    guard !table.isEmpty, now - lastSweep >= Listener.sweepInterval else {
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

  private mutating func readProgramErrors() {
    guard var errors = programErrors.take() else { return }
    errors.read { reporter.log(.notice, $0) }
    programErrors = consume errors
  }

  /// What is still to be said at the end.
  private mutating func finishLog() {
    readProgramErrors()
    if var errors = programErrors.take() { errors.flush { reporter.log(.notice, $0) } }
    for line in refusals.ended(.max) { reporter.log(.notice, line) }
  }

  // MARK: Accepting

  private mutating func accept(from ready: UInt64) {
    for (index, entry) in sockets.streams.enumerated() where ready & (1 << UInt64(index & 63)) != 0 {
      // One busy socket does not keep the others waiting.
      var budget = Listener.acceptsPerTurn
      while budget > 0 {
        let now = Clock.monotonic()
        switch admission.opening(now: now) {
        case .now: break
        case .whenOneEnds: return pauseAccepting(.full)
        case .at(let time): return pauseAccepting(.rate, until: time)
        }
        var peer = NativeAddress()
        do throws(Errno) {
          let connection = try entry.socket.accept(peer: &peer)
          budget -= 1
          isBusy = true
          admit(connection, peer, now: now)
          if accepting.heldConnection != nil { return }
        } catch {
          if error == .wouldBlock { break }
          if error.isPassing { continue }
          return pauseAccepting(.shortage("accept", error))
        }
      }
    }
  }

  private mutating func admit(_ connection: consuming Descriptor, _ peer: NativeAddress, now: Int64) {
    let address = peer.address
    let user = peer.family == AF_UNIX ? (try? PeerCredentials(of: connection))?.user : nil
    var verdict = admission.admit(address, user: user, now: now)
    if case .refused(let refusal) = verdict, refusal.concernsOpenConnections {
      // Some of those that count may have ended a moment ago.
      takeExits()
      verdict = admission.admit(address, user: user, now: now)
    }
    switch verdict {
    case .admitted(let ticket):
      scoreboard.header.pointee.accepted &+= 1
      start(connection, peer, ticket)
    case .refused(let refusal):
      begat_refused(scoreboard.header, UInt32(refusal.rawValue)).pointee &+= 1
      say(refusals.refused(refusal, address, user: user, now: now))
      if let line = refusalLine { _ = line.withUnsafeBytes { bytes in try? connection.send(bytes, waiting: false) } }
    }
  }

  /// Gives the connection a process of its own.  While that cannot be had, the connection is held and nobody else is
  /// accepted: clients wait in the backlog.
  mutating func start(_ connection: consuming Descriptor, _ peer: NativeAddress, _ ticket: Admission.Ticket) {
    let index = table.nextSlot
    let slot = scoreboard.slot(index)
    let fields = PeerFields(peer.address)
    let credentials = fields.family == PeerFields.unix ? try? PeerCredentials(of: connection) : nil
    let user = credentials?.user ?? 0
    let started = Clock.monotonic()
    slot.pointee = begat_slot(
      pid: 0, waiting: 0, bytes_received: 0, bytes_sent: 0, started: started, family: fields.family, port: fields.port,
      uid: user, address: fields.bytes, ended: 0)
    do throws(CallFailure) {
      let child: pid_t
      if case .program(let program) = offer {
        // Nobody sees what goes by.
        slot.pointee.bytes_received = ConnectionRecord.unknownCount
        slot.pointee.bytes_sent = ConnectionRecord.unknownCount
        child = try execute(program, for: connection, peer, credentials, ticket)
      } else {
        child = try fork(for: connection, peer, ticket, slot)
      }
      // At once: whoever closes last does TCP's work of ending, and that should be the child.
      _ = consume connection
      slot.pointee.pid = child
      let deadline = options.maxDuration.map { started + $0.nanoseconds } ?? .max
      table.insert(
        ConnectionTable.Entry(
          process: child, slot: UInt32(index), started: started, user: user, peer: fields, ticket: ticket,
          deadline: deadline))
      scoreboard.header.pointee.active = UInt32(table.count)
      accepting.heldConnection = nil
      endShortage()
    } catch {
      guard error.errno.isShortage else {
        accepting.heldConnection = nil
        admission.giveBack(ticket)
        return sayFailed(error)
      }
      accepting.heldConnection = HeldConnection(socket: connection, peer: peer, ticket: ticket)
      pauseAccepting(.shortage(error.call, error.errno))
    }
  }

  private mutating func fork(
    for connection: borrowing Descriptor, _ peer: NativeAddress, _ ticket: Admission.Ticket,
    _ slot: UnsafeMutablePointer<begat_slot>
  ) throws(CallFailure) -> pid_t {
    do throws(Errno) {
      switch try forkProcess(exitSignal: Listener.exitSignal) {
      case .child:
        process.serve(
          Descriptor(owning: connection.number), peer: peer, connections: ticket.placesOfSource, slot: slot,
          processTitle: title)
      case .parent(let child): return child
      }
    } catch { throw CallFailure("clone", errno: error) }
  }

  private mutating func execute(
    _ program: PreparedProgram, for connection: borrowing Descriptor, _ peer: NativeAddress,
    _ credentials: PeerCredentials?, _ ticket: Admission.Ticket
  ) throws(CallFailure) -> pid_t {
    let client = ClientVariables(
      local: (try? connection.localAddress())?.address, remote: peer.address, credentials: credentials,
      connectionsOfSource: ticket.placesOfSource)
    let errors: CInt =
      switch programErrors {
      case .some(let errors): errors.writing.number
      case nil: 2
      }
    return try program.start(descriptors: [connection.number, connection.number, errors]) { client.write(to: &$0) }
  }

  /// A program that cannot be run, whatever the machine has left: once at the beginning, and with a count at the end.
  mutating func sayFailed(_ failure: CallFailure) {
    if let line = refusals.failed(failure, now: Clock.monotonic()) { reporter.log(.error, line) }
  }
}
