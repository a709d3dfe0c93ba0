import Admission
import CSharedLayouts
import ControlProtocol
import Settings
import UnixIPC

/// When the next program may get a listening socket, where programs accept clients themselves.
///
/// Each socket has a program of its own, as with inetd and xinetd: a program of their kind knows descriptor 0 alone, and
/// would leave the clients of any other socket waiting.
struct Handover {
  /// One listening socket; streams come first.
  struct Place {
    /// The program that has it; 0 for none.
    var process: Int32 = 0
    /// Whether the poller watches it.
    var isWatched = false
    /// When the next program may be started, CLOCK_MONOTONIC nanoseconds; nil for now.
    var retryTime: Int64?
    /// What waited when the program was started.
    fileprivate var clients: WaitingClients?
    /// How many programs one after the other have ended without taking anything.
    fileprivate var idleStarts = 0
    private var delay: Int64 = 0

    fileprivate var isFree: Bool { process == 0 && retryTime == nil }

    /// How long to wait after a program has ended, in nanoseconds: longer and longer for one that fails soon after its
    /// start, and for one that leaves its clients where they are again and again.
    ///
    /// - Returns: also whether the delay has grown, which is worth a line.
    mutating func delay(afterSuccess isSuccess: Bool, age: Int64) -> (delay: Int64, isLonger: Bool) {
      let former = delay
      if isSuccess || age >= Handover.healthyAge, !isLooping {
        delay = 0
      } else {
        delay = min(max(2 * delay, Handover.shortestDelay), Handover.longestDelay)
      }
      return (delay, delay > former)
    }

    /// Notes whether a program has left all clients where they were.
    mutating func note(leftAllClients: Bool) { idleStarts = leftAllClients ? idleStarts + 1 : 0 }

    var isLooping: Bool { idleStarts >= Handover.mostIdleStarts }
    /// Whether that begins to be so.
    var beginsToLoop: Bool { idleStarts == Handover.mostIdleStarts }
  }

  private static let healthyAge: Int64 = 1_000_000_000
  private static let shortestDelay: Int64 = 100_000_000
  private static let longestDelay: Int64 = 10_000_000_000
  /// After so many starts in vain it is no accident.
  static let mostIdleStarts = 20
  /// After a wake-up without a client, as by a datagram with a wrong checksum.
  fileprivate static let falseAlarmDelay: Int64 = 100_000_000

  var places: [Place]
  /// When the bucket of starts is full again.
  fileprivate var fullAt: Int64 = 0

  init(sockets: Int) { places = [Place](repeating: Place(), count: sockets) }

  /// When the next place may be free again; `max` for never.
  var due: Int64 { places.reduce(.max) { min($0, $1.retryTime ?? .max) } }
}

extension Listener {
  /// Starts a program for each socket at which a client waits, with the socket itself, and leaves it to the program
  /// until that ends.
  ///
  /// The socket is the program's 0 and 1, as inetd does it, and its 3, as a service manager does it.
  mutating func handOver(to program: PreparedProgram, streams: UInt64, datagrams: UInt64) {
    for index in handover.places.indices where handover.places[index].isFree {
      let isStream = index < sockets.streams.count
      let bit = UInt64(1) << UInt64((isStream ? index : index - sockets.streams.count) & 63)
      guard (isStream ? streams : datagrams) & bit != 0 else { continue }
      guard drain == nil, accepting.pause == nil else { return }
      handOver(place: index, to: program)
    }
  }

  private mutating func handOver(place: Int, to program: PreparedProgram) {
    guard !table.isFull else { return pauseAccepting(.full) }
    if place < sockets.streams.count, !isListening(at: place) { return }
    let now = Clock.monotonic()
    let clients = waitingClients(at: place)
    guard clients.isAny else {
      handover.places[place].retryTime = now + Handover.falseAlarmDelay
      return watchPlaces()
    }
    if let rate = options.admission.rate {
      let bucket = TokenBucket(rate)
      let next = bucket.nextTime(fullAt: handover.fullAt)
      guard next <= now else { return pauseAccepting(.rate, until: next) }
      handover.fullAt = bucket.taking(fullAt: handover.fullAt, now: now)
    }
    let number = socketNumber(at: place)
    // Programs of this kind expect to wait in accept(2).
    if place < sockets.streams.count { try? sockets.streams[place].socket.descriptor.setNonBlocking(false) }
    let errors = ProgramErrors.number(of: programErrors)
    do throws(CallFailure) {
      let child = try program.start(descriptors: [number, number, errors, number])
      let index = table.nextSlot
      let slot = scoreboard.slot(index)
      slot.pointee = begat_slot(
        pid: child, waiting: 0, bytes_received: ConnectionRecord.unknownCount,
        bytes_sent: ConnectionRecord.unknownCount, started: now, family: 0, port: 0, uid: 0,
        address: PeerFields(nil).bytes, ended: 0)
      let deadline = options.maxDuration.map { now + $0.nanoseconds } ?? .max
      table.insert(
        ConnectionTable.Entry(
          process: child, slot: UInt32(index), started: now, user: 0, peer: PeerFields(nil), ticket: nil,
          place: Int32(place), deadline: deadline))
      handover.places[place].process = child
      handover.places[place].clients = clients
      scoreboard.header.pointee.accepted &+= 1
      scoreboard.header.pointee.active = UInt32(table.count)
      watchPlaces()
      endShortage()
    } catch {
      if error.errno.isShortage { return pauseAccepting(.shortage(error.call, error.errno)) }
      sayFailed(error)
      handover.places[place].retryTime = now + handover.places[place].delay(afterSuccess: false, age: 0).delay
      watchPlaces()
    }
  }

  private func socketNumber(at place: Int) -> CInt {
    place < sockets.streams.count
      ? sockets.streams[place].socket.descriptor.number
      : sockets.datagrams[place - sockets.streams.count].socket.descriptor.number
  }

  private func waitingClients(at place: Int) -> WaitingClients {
    place < sockets.streams.count
      ? WaitingClients(ofStream: sockets.streams[place].socket.descriptor)
      : WaitingClients(ofDatagram: sockets.datagrams[place - sockets.streams.count].socket.descriptor)
  }

  /// The program is gone: the next client of its socket gets another one, after a pause if this one failed soon or has
  /// taken none.
  mutating func handoverEnded(_ status: ExitStatus, _ entry: ConnectionTable.Entry) {
    let index = Int(entry.place)
    guard handover.places.indices.contains(index) else { return }
    handover.places[index].process = 0
    guard drain == nil else { return }
    let now = Clock.monotonic()
    let before = handover.places[index].clients
    handover.places[index].note(leftAllClients: before?.areAllThere(at: waitingClients(at: index)) ?? false)
    let (delay, isLonger) = handover.places[index].delay(afterSuccess: status.isSuccess, age: now - entry.started)
    let text = DurationText.render(.nanoseconds(delay))
    if handover.places[index].beginsToLoop {
      reporter.log(
        .error,
        """
        the program ends without taking its client, \(Handover.mostIdleStarts) times now (looping); it must accept(2) or \
        receive at descriptor 0; it is started again in \(text), then later and later, at last every 10s
        """)
    } else if isLonger, !handover.places[index].isLooping {
      reporter.log(.warning, "the program failed at once: \(status); the next one is started in \(text)")
    }
    handover.places[index].retryTime = delay > 0 ? now + delay : nil
    watchPlaces()
  }

  /// Watches the sockets that no program has, or none of them.
  mutating func watchPlaces() {
    guard case .handover = offer else { return }
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
    guard handover.due < .max else { return }
    let now = Clock.monotonic()
    for index in handover.places.indices where handover.places[index].retryTime ?? .max <= now {
      handover.places[index].retryTime = nil
    }
    watchPlaces()
  }
}
