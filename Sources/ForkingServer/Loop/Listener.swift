import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
import UnixIPC

/// The loop of a listener: wait → signals → reap → accept → fork.
///
/// It holds no descriptor, timer or thread per connection, so that a connection costs the same however many are open.
struct Listener: ~Copyable {
  /// Numbers by which ready descriptors come back from the poller; sockets have the smaller ones.
  enum Token {
    static let orders: UInt64 = 1 << 32
    static let channel: UInt64 = 1 << 32 + 1
    static let exits: UInt64 = 1 << 32 + 2
    static let work: UInt64 = 1 << 32 + 3
    static let datagrams: UInt64 = 1 << 16
  }

  /// How many connections of one socket are accepted before the others, exits and signals are looked at again.
  private static let acceptsPerTurn = 32

  let options: ListenerOptions
  let process: ConnectionProcess
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
  var accepting = AcceptState()
  var drain: Drain?
  private var lastSweep = Clock.monotonic()
  /// Whether a client came a moment ago: then ends of connections wait for a turn that is taken anyway.
  private var isBusy = false

  /// The signal by which the kernel announces the end of a connection process: queued, one for each.
  static let exitSignal = Signal.realTime(1)

  init(
    options: ListenerOptions, service: LoadedService, sockets: ServiceSockets, reporter: consuming Reporter,
    scoreboard: consuming Scoreboard, names: NameClient?, title: consuming ProcessTitle?
  ) throws(CallFailure) {
    let limits = TimeLimits(firstByte: options.firstByteTimeout, idle: options.idleTimeout)
    let datagramAnswers = try service.datagram.map { service throws(CallFailure) in try DatagramAnswers(service) }
    let poller = try Poller()
    let quietPoller = try Poller()
    let orders = try SignalQueue(SignalSet(.terminate, .interrupt, .quit, .hangUp))
    let exits = try SignalQueue(SignalSet(Listener.exitSignal))
    try poller.add(orders.descriptor.number, .readable, token: Token.orders)
    try quietPoller.add(exits.descriptor.number, .readable, token: Token.exits)
    try quietPoller.add(poller.descriptor.number, .readable, token: Token.work)
    if let channel = reporter.channelNumber { try poller.add(channel, .readable, token: Token.channel) }
    for (index, entry) in sockets.datagrams.enumerated() {
      try poller.add(entry.socket.descriptor.number, .readable, token: Token.datagrams + UInt64(index))
    }
    let table = try ConnectionTable(capacity: options.maxConnections)
    let batch = try RecordBatch()
    process = ConnectionProcess(
      service: service.stream, limits: limits, names: names, title: ConnectionProcess.title(of: options.name),
      listener: getpid())
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
    do throws(CallFailure) { try process.warmUp() } catch { reporter.log(.warning, "\(error)") }
    Heap.trim()
    do throws(CallFailure) { try Heap.settle() } catch { reporter.log(.warning, "\(error)") }
    reporter.sayReady(sockets.addresses)
    while !isDone {
      var readyStreams: UInt64 = 0
      var isChannelReady = false
      var readyDatagrams: UInt64 = 0
      poller.wait(milliseconds: waitForQuietWork()) { event in
        switch event.token {
        case Token.orders: break
        case Token.channel: isChannelReady = true
        case Token.datagrams...: readyDatagrams |= 1 << (event.token & 63)
        default: readyStreams |= 1 << (event.token & 63)
        }
      }
      takeOrders()
      takeExits()
      if isChannelReady, !reporter.readChannel() { channelClosed() }
      sweepIfDue()
      resumeIfPossible()
      if readyDatagrams != 0 { answerDatagrams(readyDatagrams) }
      if readyStreams != 0, drain == nil { accept(from: readyStreams) }
      advanceDrain()
      // While clients come, records gather until a message of them is full.
      if !isBusy { report() }
    }
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
    while let exit = exits.take() {
      // Anybody of the same user may forge the signal: only waitpid(2) is believed, and only for our own.
      if table.contains(exit.process), let status = ChildProcess.reap(exit.process) { ended(exit.process, status) }
    }
  }

  private static let sweepInterval: Int64 = 1_000_000_000

  /// The net under the queue: when the kernel's queue of signals is full, exits are announced by nothing at all.
  private mutating func sweepIfDue() {
    let now = Clock.monotonic()
    guard !table.isEmpty, now - lastSweep >= Listener.sweepInterval else {
      if table.isEmpty { lastSweep = now }
      return
    }
    lastSweep = now
    while let (process, status) = ChildProcess.reapAny() { ended(process, status) }
  }

  // MARK: Accepting

  private mutating func accept(from ready: UInt64) {
    for (index, entry) in sockets.streams.enumerated() where ready & (1 << UInt64(index & 63)) != 0 {
      // One busy socket does not keep the others waiting.
      var budget = Listener.acceptsPerTurn
      while budget > 0 {
        guard !table.isFull else { return pauseAccepting(.full) }
        var peer = NativeAddress()
        do throws(Errno) {
          let connection = try entry.socket.accept(peer: &peer)
          scoreboard.header.pointee.accepted &+= 1
          budget -= 1
          isBusy = true
          start(connection, peer)
          if accepting.heldConnection != nil { return }
        } catch {
          if error == .wouldBlock { break }
          if error.isPassing { continue }
          return pauseAccepting(.shortage("accept", error))
        }
      }
    }
  }

  /// Gives the connection a process of its own.  While that cannot be had, the connection is held and nobody else is
  /// accepted: clients wait in the backlog.
  mutating func start(_ connection: consuming Descriptor, _ peer: NativeAddress) {
    let index = table.nextSlot
    let slot = scoreboard.slot(index)
    let fields = PeerFields(peer.address)
    let user = fields.family == PeerFields.unix ? (try? PeerCredentials(of: connection))?.user ?? 0 : 0
    let started = Clock.monotonic()
    slot.pointee = begat_slot(
      pid: 0, waiting: 0, bytes_received: 0, bytes_sent: 0, started: started, family: fields.family, port: fields.port,
      uid: user, address: fields.bytes, ended: 0)
    do throws(Errno) {
      switch try forkProcess(exitSignal: Listener.exitSignal) {
      case .child: process.serve(connection, peer: peer, slot: slot, processTitle: title)
      case .parent(let child):
        // At once: whoever closes last does TCP's work of ending, and that should be the child.
        _ = consume connection
        slot.pointee.pid = child
        table.insert(
          ConnectionTable.Entry(process: child, slot: UInt32(index), started: started, user: user, peer: fields))
        scoreboard.header.pointee.active = UInt32(table.count)
        accepting.heldConnection = nil
        endShortage()
      }
    } catch {
      accepting.heldConnection = HeldConnection(socket: connection, peer: peer)
      pauseAccepting(.shortage("clone", error))
    }
  }
}
