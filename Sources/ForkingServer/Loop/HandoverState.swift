import Admission
import CSharedLayouts
import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// When the next program may get a listening socket, where programs accept clients themselves.
///
/// Each socket has a program of its own, as with inetd and xinetd: a program of their kind knows descriptor 0 alone, and
/// would leave the clients of any other socket waiting.
struct HandoverState: ~Copyable {
  /// One listening socket; streams come first.
  struct Place {
    /// The program that has it; 0 for none.
    var process: Int32 = 0
    /// Whether the poller watches it.
    var isWatched = false
    /// When the next program may be started; nil for now.
    var retryTime: Deadline?
    /// What waited when the program was started.
    fileprivate var clients: WaitingClients?
    /// Whether a connection has come since then.
    fileprivate var hasArrival = false
    fileprivate var restarts: Restarts

    /// Whether program after program has left its client where it was.
    var isLooping: Bool { restarts.isLooping }

    fileprivate var isFree: Bool { process == 0 && retryTime == nil }
  }

  /// After a wake-up without a client, as by a datagram with a wrong checksum.
  fileprivate static let falseAlarmDelay: Duration = .milliseconds(100)

  var places: [Place]
  /// When the bucket of starts is full again.
  fileprivate var fullAt = TokenBucket.untouched
  /// Announces each arrival of a connection once, where `poller` of the listener reports a state.
  private let arrivals: Poller

  init(_ sockets: borrowing ServiceSockets, isUsed: Bool) throws(SystemCallError) {
    let arrivals = try Poller()
    var places: [Place] = []
    if isUsed {
      for (index, entry) in sockets.streams.enumerated() {
        places.append(Place(restarts: Restarts(startsInVain: Restarts.mostOfStreams)))
        try arrivals.add(entry.socket.descriptor.number, [.readable, .announcedOnce], token: UInt64(index))
      }
      for _ in sockets.datagrams { places.append(Place(restarts: Restarts(startsInVain: Restarts.mostOfDatagrams))) }
    }
    self.places = places
    self.arrivals = arrivals
  }

  /// When the next place may be free again.
  var due: Deadline { places.reduce(.never) { min($0, $1.retryTime ?? .never) } }

  /// Removes the place of a socket that is about to be closed; those after it move up.
  fileprivate mutating func remove(_ place: Int, of streams: [StreamSocket]) {
    places.remove(at: place)
    guard place < streams.count else { return }
    try? arrivals.remove(streams[place].socket.descriptor.number)
    for (index, entry) in streams.enumerated().dropFirst(place + 1) {
      try? arrivals.change(
        entry.socket.descriptor.number, [.readable, .announcedOnce], token: UInt64(index - 1))
    }
  }

  /// Notes at which sockets connections have come.
  fileprivate mutating func noteArrivals() {
    // Each socket is announced once at most, 16 in one go; one more go finds those that came meanwhile.
    for _ in 0...(places.count / 16) {
      var found: [Int] = []
      guard arrivals.wait(milliseconds: 0, { found.append(Int($0.token)) }) > 0 else { return }
      for index in found where places.indices.contains(index) { places[index].hasArrival = true }
    }
  }
}

extension Listener {
  /// Starts a program for each socket at which a client waits, with the socket itself, and leaves it to the program
  /// until that ends.
  ///
  /// The socket is the program's 0 and 1, as inetd does it, and its 3, as a service manager does it.
  mutating func handOver(to program: PreparedProgram, streams: UInt64, datagrams: UInt64) {
    let first = accepting.firstSocket
    let count = handover.places.count
    for index in (0..<count).lazy.map({ (first + $0) % count }) where handover.places[index].isFree {
      let isStream = index < sockets.streams.count
      let bit = UInt64(1) << UInt64((isStream ? index : index - sockets.streams.count) & 63)
      // More than 64 sockets share bits: one whose neighbour is ready may have no client.
      guard (isStream ? streams : datagrams) & bit != 0, isReadable(at: index) else { continue }
      guard accepting.pause == nil else { return }
      handOver(place: index, to: program)
      if handover.places[index].process != 0 { accepting.firstSocket = index + 1 }
    }
  }

  private mutating func handOver(place: Int, to program: PreparedProgram) {
    guard !table.isFull else { return pauseAccepting(.full) }
    if place < sockets.streams.count, !sockets.streams[place].isClosing, !isListening(at: place) { return }
    let now = Deadline.now
    handover.noteArrivals()
    handover.places[place].hasArrival = false
    let clients = waitingClients(at: place)
    guard clients.isAny else {
      handover.places[place].retryTime = now.advanced(by: HandoverState.falseAlarmDelay)
      return watchPlaces()
    }
    if let next = takeStart(now) { return pauseAccepting(.until(next)) }
    let number = socketNumber(at: place)
    // Programs of this kind expect to wait in accept(2).
    if place < sockets.streams.count { try? sockets.streams[place].socket.descriptor.setNonBlocking(false) }
    let pipe = programLog.openPipe()
    let errors = programLog.number(of: pipe)
    do throws(SystemCallError) {
      let child = try program.start(descriptors: [number, number, errors, number])
      add(child, at: place, started: now, pipe)
      handover.places[place].clients = clients
      watchPlaces()
      endShortage()
    } catch {
      if error.code.isResourceExhaustion { return pauseAccepting(.shortage(error.call, error.code)) }
      sayFailed(error)
      handover.places[place].retryTime = now.advanced(by: handover.places[place].restarts.delayAfterFailedStart())
      watchPlaces()
    }
  }

  /// Takes a start from what the rate allows; if nothing is left, returns when there will be.
  private mutating func takeStart(_ now: Deadline) -> Deadline? {
    guard let rate = options.admission.rate else { return nil }
    let bucket = TokenBucket(rate)
    let next = bucket.nextTime(fullAt: handover.fullAt)
    guard next <= now else { return next }
    handover.fullAt = bucket.taking(fullAt: handover.fullAt, now: now)
    return nil
  }

  /// Notes the program that has a socket now.
  private mutating func add(_ program: Int32, at place: Int, started: Deadline, _ pipe: consuming PipeEnds?) {
    let index = table.nextSlot
    scoreboard.slot(index).pointee = begat_slot(
      process: program, peer: PeerFields(nil), started: started.instant, received: ConnectionRecord.unknownCount,
      sent: ConnectionRecord.unknownCount)
    let socket = socketNumber(at: place)
    let pipeNumber: CInt =
      switch consume pipe {
      case .some(let pipe):
        programLog.add(
          pipe,
          of: begat_record(.ended, process: program, peer: PeerFields(nil), user: 0, socket: socket, text: peerText))
      case nil: -1
      }
    let deadline = options.maxDuration.map { started.advanced(by: $0) } ?? .never
    let entry =
      ConnectionTable.Entry(
        process: program, slot: UInt32(index), started: started, user: 0, peer: PeerFields(nil), reservation: nil,
        place: Int32(place), socket: socket, pipe: pipeNumber, deadline: deadline)
    if logsOpenings { noteOpened(entry) }
    table.insert(entry)
    handover.places[place].process = program
    scoreboard.countAccepted(now: started.instant)
    scoreboard.header.pointee.active = UInt32(table.count)
  }

  private func socketNumber(at place: Int) -> CInt {
    place < sockets.streams.count
      ? sockets.streams[place].socket.descriptor.number
      : sockets.datagrams[place - sockets.streams.count].socket.descriptor.number
  }

  private func isReadable(at place: Int) -> Bool {
    place < sockets.streams.count
      ? sockets.streams[place].socket.descriptor.wait(for: .readable, until: .immediate)
      : sockets.datagrams[place - sockets.streams.count].socket.descriptor.wait(for: .readable, until: .immediate)
  }

  func waitingClients(at place: Int) -> WaitingClients {
    guard place >= sockets.streams.count else {
      return WaitingClients(ofStream: sockets.streams[place].socket.descriptor)
    }
    return WaitingClients(
      ofDatagram: sockets.datagrams[place - sockets.streams.count].socket.descriptor,
      isExact: handover.places[place].restarts.isSuspicious)
  }

  /// The program is gone: the next client of its socket gets another one, after a pause if this one has taken none.
  mutating func handoverEnded(_ status: ExitStatus, _ entry: borrowing ConnectionTable.Entry) {
    let index = Int(entry.place)
    guard handover.places.indices.contains(index) else { return }
    handover.places[index].process = 0
    let now = Deadline.now
    let later = waitingClients(at: index)
    handover.noteArrivals()
    let place = handover.places[index]
    let verdict = place.clients?.verdict(at: later, hasArrival: place.hasArrival) ?? .unknown
    let pause = handover.places[index].restarts.pause(
      after: verdict, isSuccess: status.isSuccess, age: entry.started.duration(to: now))
    let text = DurationText.render(pause.delay)
    switch pause.news {
    case .looping:
      reporter.log(
        .error,
        """
        the program ends without taking its client, \(place.restarts.startsInVain) times now (looping); it must \
        accept(2) or receive at descriptor 0; it is started again in \(text), then later and later, at last every 10s
        """)
    case .failing:
      reporter.log(.warning, "the program failed at once: \(status); the next one is started in \(text)")
    case nil: break
    }
    handover.places[index].retryTime = pause.delay > .zero ? now.advanced(by: pause.delay) : nil
    watchPlaces()
  }

  /// Forgets a socket that is about to be closed; its program goes on.
  mutating func leavePlace(_ place: Int) {
    handover.remove(place, of: sockets.streams)
    table.forEach { entry in
      if entry.place == place { entry.place = -1 } else if entry.place > place { entry.place -= 1 }
    }
  }

  /// Lets all programs that have sockets end, with all that they have started, while the listener drains: nothing of them
  /// keeps an address for long.
  ///
  /// Those at whose sockets clients wait have half of the time for them.
  mutating func endPrograms() {
    guard offerKind.handsOver, drain?.programDeadline == nil else { return }
    drain?.programDeadline = Deadline(after: Drain.programPatience)
    endPrograms(at: -1)
    emptySockets()
  }

  /// Tells the program to end that has a socket; -1 for the programs whose sockets are closed here.
  mutating func endPrograms(at place: Int) {
    // The drain has an end of its own.
    let killTime = drain == nil ? Deadline(after: Listener.killDelay) : .never
    hasEndOrders = true
    table.forEach { entry in
      guard entry.place == place, !entry.isEnding else { return }
      Listener.send(.terminate, to: entry.process, withGroup: true)
      entry.ending = .stopped
      entry.deadline = killTime
    }
  }

  /// Watches the sockets that no program has, or none of them.
  mutating func watchPlaces() {
    guard offerKind.handsOver else { return }
    for index in handover.places.indices {
      let isWanted = accepting.isWatching && handover.places[index].isFree
      guard isWanted != handover.places[index].isWatched, index < sockets.streams.count + sockets.datagrams.count else {
        continue
      }
      handover.places[index].isWatched = isWanted
      let isStream = index < sockets.streams.count
      let token = isStream ? UInt64(index) : Token.datagrams + UInt64(index - sockets.streams.count)
      watch(socketNumber(at: index), isWanted, token: token)
    }
  }

  /// Looks whether delays are over.
  mutating func advanceHandover() {
    guard handover.due < .never else { return }
    let now = Deadline.now
    for index in handover.places.indices where handover.places[index].retryTime ?? .never <= now {
      handover.places[index].retryTime = nil
    }
    watchPlaces()
  }
}
