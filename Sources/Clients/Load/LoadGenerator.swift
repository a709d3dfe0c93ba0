@_spi(Begat) import UnixCore

/// As many connections under way as asked for; one that ends makes room for the next (a closed loop), or they begin at a
/// rate (an open loop).
///
/// One thread and one epoll; nothing is allocated per connection.
final class LoadGenerator {
  let settings: LoadSettings
  let address: SocketAddress
  let native: RawSocketAddress
  let poller: Poller
  let slots: UnsafeMutableBufferPointer<LoadSlot>
  /// Where all connections read to, and what all of them send.
  let sink = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
  let text = UnsafeMutableRawBufferPointer.allocate(byteCount: largestText, alignment: 16)
  let expectedText: ExpectedText
  private let timeout: Int64
  var sources: SourceAddresses
  var clients: ClaimedClients
  private var pace: LoadPace?
  private var ticker: Ticker?
  private var isInterrupted = false
  /// From when on connections that fall due find no slot; nil if there is one.
  private var fullSince: Int64?
  /// Slots that wait for a connection that is due; none in a closed loop.
  private var idle: [Int] = []
  private var deadline = Int64.max
  private var begun = 0
  var active = 0
  private var paused = 0
  private let showsProgress: Bool
  var tally = LoadTally()

  static let largestText = 16_384
  private static let pause: Int64 = 1_000_000
  private static let longestSweepInterval: Int64 = 50_000_000
  private static let tickToken = UInt64.max
  private static let interruptionToken = UInt64.max - 1

  init(
    settings: LoadSettings, address: SocketAddress, sources: SourceAddresses, clients: consuming ClaimedClients,
    showsProgress: Bool = false
  ) throws(SystemCallError) {
    self.settings = settings
    self.address = address
    self.sources = sources
    self.clients = clients
    self.showsProgress = showsProgress
    native = try RawSocketAddress(address)
    poller = try Poller()
    slots = .allocate(capacity: settings.slotCount)
    for index in slots.indices { slots.initializeElement(at: index, to: LoadSlot()) }
    expectedText = ExpectedText(settings.expectedText)
    timeout = settings.patience.nanoseconds
    text.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
    if settings.sentText.count <= text.count { text.copyBytes(from: settings.sentText) }
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
    sink.deallocate()
    text.deallocate()
  }

  /// Runs until the last connection has ended.
  ///
  /// - Parameter interruption: a descriptor that ends the run when it is readable: connections under way then count as
  ///   nothing.
  func run(interruptedBy interruption: CInt? = nil) throws(SystemCallError) {
    if let interruption { try poller.add(interruption, .readable, token: Self.interruptionToken) }
    let start = SystemClock.monotonic()
    var progress = showsProgress ? LoadProgress(start: start) : nil
    if case .duration(let duration) = settings.end { deadline = start + duration.nanoseconds }
    if let rate = settings.rate {
      try keepPace(LoadPace(rate: rate, start: start))
    } else {
      for index in slots.indices { begin(index, at: start) }
    }
    let sweepInterval = max(1_000_000, min(Self.longestSweepInterval, timeout / 8))
    var nextSweep = start + sweepInterval
    while !isInterrupted, active + paused > 0 || isDue {
      poller.wait(milliseconds: paused > 0 ? 1 : CInt(sweepInterval / 1_000_000), maxCount: 64) { event in
        switch event.token {
        case Self.tickToken: tick()
        case Self.interruptionToken: isInterrupted = true
        default: advance(Int(event.token), event.ready)
        }
      }
      let now = SystemClock.monotonic()
      if paused > 0 { resume(at: now) }
      guard now >= nextSweep else { continue }
      nextSweep = now + sweepInterval
      // First, so that the slot of a late connection gets none that was due before the end.
      dropUndone(at: now)
      endLate(at: now)
      progress?.show(tally, at: now)
    }
    progress?.clear()
  }

  private func advance(_ index: Int, _ ready: Poller.Interest) {
    if settings.usesDatagrams { receiveAnswer(index) } else { advanceStream(index, ready) }
  }

  private var mayBegin: Bool {
    if case .connections(let count) = settings.end { begun < count } else { true }
  }

  /// Gives a slot its next connection, if there is to be another.
  ///
  /// - Parameter instant: when it begins, or was due.
  private func begin(_ index: Int, at instant: Int64) {
    guard mayBegin, instant < deadline else {
      slots[index].phase = .idle
      return
    }
    begun += 1
    slots[index].start(at: instant)
    start(index, at: instant)
  }

  private func start(_ index: Int, at now: Int64) {
    if settings.usesDatagrams { ask(index, at: now) } else { connect(index, at: now) }
  }

  /// Counts a connection, closes it, and lets the next have its slot.
  func end(_ index: Int, _ outcome: LoadOutcome, code: ErrorCode? = nil) {
    let now = SystemClock.monotonic()
    tally.count(outcome, code: code)
    tally.add(bytes: slots[index].received)
    if outcome == .ok { tally.recordLatency(nanoseconds: now - slots[index].began) }
    if !keepsSocket(after: outcome) { slots[index].socket = nil }
    active -= 1
    goOn(index, at: now)
  }

  /// Lets a slot without a connection have the next one, or wait for it.
  private func goOn(_ index: Int, at now: Int64) {
    if pace == nil { return begin(index, at: now) }
    slots[index].phase = .idle
    idle.append(index)
    beginDue()
  }

  /// Puts off a connection that a full backlog does not take, for the rest of its time.
  func postpone(_ index: Int, at now: Int64) {
    tally.backlogFull += 1
    pause(index, .postponed, at: now)
  }

  /// Counts a connection that failed immediately.
  func fail(_ index: Int, _ error: SystemCallError, at now: Int64) {
    tally.count(LoadOutcome(failure: error.code), code: error.code)
    slots[index].socket = nil
    pause(index, .resting, at: now)
  }

  private func pause(_ index: Int, _ phase: LoadSlot.Phase, at now: Int64) {
    slots[index].phase = phase
    slots[index].resumes = SystemClock.monotonic() + Self.pause
    paused += 1
  }

  /// Goes on with the slots whose pause is over.
  private func resume(at now: Int64) {
    for index in slots.indices where slots[index].resumes <= now {
      switch slots[index].phase {
      case .idle, .open: continue
      case .postponed where now - slots[index].began < timeout:
        paused -= 1
        start(index, at: now)
      case .postponed:
        paused -= 1
        tally.count(.timedOut)
        goOn(index, at: now)
      case .resting:
        paused -= 1
        goOn(index, at: now)
      }
    }
  }

  private func endLate(at now: Int64) {
    for index in slots.indices where slots[index].phase == .open && now - slots[index].began >= timeout {
      end(index, .timedOut)
    }
  }
}

/// The open loop.
extension LoadGenerator {
  private func keepPace(_ pace: LoadPace) throws(SystemCallError) {
    // The first connection takes the first slot.
    idle = slots.indices.reversed()
    let ticker = try Ticker(every: pace.tick)
    try poller.add(ticker.descriptor, .readable, token: Self.tickToken)
    self.ticker = consume ticker
    self.pace = pace
  }

  /// Whether another connection is due, now or later.
  private var isDue: Bool {
    guard let pace else { return false }
    return mayBegin && pace.nextTime < deadline
  }

  private func tick() {
    ticker?.skipTicks()
    beginDue()
  }

  /// Begins the connections whose time has come, as far as there are slots.
  private func beginDue() {
    let now = SystemClock.monotonic()
    while isDue, let index = idle.last, let instant = pace?.takeDue(at: now) {
      idle.removeLast()
      if let fullSince, instant > fullSince, now - instant > Self.pause { tally.delayed += 1 }
      if idle.isEmpty, fullSince == nil { fullSince = instant }
      begin(index, at: instant)
    }
    if !idle.isEmpty { fullSince = nil }
  }

  /// After the end, connections that found no slot are given up.
  private func dropUndone(at now: Int64) {
    guard now >= deadline, isDue else { return }
    tally.unbegun += pace?.dropDue(before: deadline) ?? 0
  }
}
