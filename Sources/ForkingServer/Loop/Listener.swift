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
    static let signals: UInt64 = 1 << 32
    static let channel: UInt64 = 1 << 32 + 1
    static let datagrams: UInt64 = 1 << 16
  }

  /// How many connections are accepted before exits and signals are looked at again.
  private static let acceptsPerTurn = 64

  let options: ListenerOptions
  let process: ConnectionProcess
  let datagramAnswers: DatagramAnswers?
  let title: ProcessTitle?
  let poller: Poller
  let signals: SignalQueue
  let scoreboard: Scoreboard
  var sockets: ServiceSockets
  var reporter: Reporter
  var table: ConnectionTable
  var batch: RecordBatch
  var accepting = AcceptState()
  var drain: Drain?
  private var lastSweep = Clock.monotonic()

  /// The signal by which the kernel announces the end of a connection process: queued, one for each.
  static let exitSignal = Signal.realTime(1)

  init(
    options: ListenerOptions, service: LoadedService, sockets: ServiceSockets, reporter: consuming Reporter,
    scoreboard: consuming Scoreboard, names: NameClient?, title: consuming ProcessTitle?
  ) throws(CallFailure) {
    let limits = TimeLimits(firstByte: options.firstByteTimeout, idle: options.idleTimeout)
    let datagramAnswers = try service.datagram.map { service throws(CallFailure) in try DatagramAnswers(service) }
    let poller = try Poller()
    let signals = try SignalQueue(SignalSet(.terminate, .interrupt, .hangUp, Listener.exitSignal))
    try poller.add(signals.descriptor.number, .readable, token: Token.signals)
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
    self.signals = signals
    self.table = table
    self.batch = batch
    watchSockets(true)
  }

  /// Serves until it is told to stop and the last connection has ended.
  mutating func run() {
    do throws(CallFailure) { try process.warmUp() } catch { reporter.log(.warning, "\(error)") }
    Heap.trim()
    reporter.sayReady(sockets.addresses)
    while !isDone {
      var readyStreams: UInt64 = 0
      var isChannelReady = false
      var readyDatagrams: UInt64 = 0
      poller.wait(milliseconds: timeUntilWork()) { event in
        switch event.token {
        case Token.signals: break
        case Token.channel: isChannelReady = true
        case Token.datagrams...: readyDatagrams |= 1 << (event.token & 63)
        default: readyStreams |= 1 << (event.token & 63)
        }
      }
      takeSignals()
      if isChannelReady, !reporter.readChannel() { channelClosed() }
      sweepIfDue()
      resumeIfPossible()
      if readyDatagrams != 0 { answerDatagrams(readyDatagrams) }
      if readyStreams != 0, drain == nil { accept(from: readyStreams) }
      advanceDrain()
      report()
    }
    for file in sockets.files { file.removeIfOurs() }
  }

  private var isDone: Bool { drain != nil && table.isEmpty }

  // MARK: Waiting

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

  private mutating func takeSignals() {
    while let arrival = signals.take() {
      switch arrival.signal {
      case Listener.exitSignal:
        // Anybody of the same user may forge the signal: only waitpid(2) is believed, and only for our own.
        if table.contains(arrival.process), let status = ChildProcess.reap(arrival.process) {
          ended(arrival.process, status)
        }
      case .terminate, .interrupt: stop()
      default: break
      }
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
    var budget = Listener.acceptsPerTurn
    for (index, entry) in sockets.streams.enumerated() where ready & (1 << UInt64(index & 63)) != 0 {
      while budget > 0 {
        guard !table.isFull else { return pauseAccepting(.full) }
        var peer = NativeAddress()
        do throws(Errno) {
          let connection = try entry.socket.accept(peer: &peer)
          scoreboard.header.pointee.accepted &+= 1
          budget -= 1
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
      uid: user, address: fields.bytes, reserved: 0)
    do throws(Errno) {
      switch try forkProcess(exitSignal: Listener.exitSignal) {
      case .child: process.serve(connection, peer: peer, slot: slot, processTitle: title)
      case .parent(let child):
        slot.pointee.pid = child
        table.insert(
          ConnectionTable.Entry(process: child, slot: UInt32(index), started: started, user: user, peer: fields))
        scoreboard.header.pointee.active = UInt32(table.count)
        accepting.heldConnection = nil
      }
    } catch {
      accepting.heldConnection = HeldConnection(socket: connection, peer: peer)
      pauseAccepting(.shortage("clone", error))
    }
  }
}
