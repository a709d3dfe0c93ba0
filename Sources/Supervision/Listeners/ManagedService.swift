import Admission
import Configuration
import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// A service that begatd offers: its sockets, which stay open, and its listeners, which come and go.
final class ManagedService {
  /// How many generations live at the same time: as many as the admission book has columns.
  static let maxGenerations = AdmissionBook.columnCount

  /// As the listener has it that was started last, or is to be started.
  var configuration: ServiceConfiguration
  /// The files that it reads, as they were before it read them.
  var inputs: ListenerInputs
  /// The number that means this service in the table of bans; one name has one number as long as begatd runs.
  let number: UInt32
  private(set) var sockets: [HeldSocket] { didSet { hasChanged = true } }
  /// Where connections are counted: it outlives listeners.
  let admissionBook: Descriptor
  /// Sockets that the configuration has given up; the next listener accepts the clients that wait there, and closes them.
  private(set) var closing: [HeldSocket] = []
  /// Sockets that a listener is closing now, the oldest first: an address that is bound again needs the old socket's
  /// consent.
  private var leaving: [(socket: HeldSocket, deadline: Int64)] = []

  /// Every generation that lives, the oldest first.
  private(set) var generations: [Generation] = [] { didSet { hasChanged = true } }
  /// Whether anything has changed that outlives begatd, since that was kept.
  var hasChanged = true
  /// The generation that accepts clients.
  private(set) var current: Generation?
  /// The generation that is to take its place.
  private(set) var successor: Generation?
  private(set) var lastGenerationNumber: UInt64 = 0
  /// When it began to be offered, CLOCK_MONOTONIC nanoseconds.
  private(set) var startTime = SystemClock.monotonic()
  /// The counts of generations that have ended.
  var totals = ServiceCounters()
  /// Columns of the admission book whose generations have ended, and which the current generation could not be told yet.
  var pendingClear: AdmissionColumns = []

  /// Whether it accepts clients.
  var drain = DrainState()
  /// Whether its last listener accepts the clients that wait at its sockets when it is closed.
  var closingEmpties = true
  /// When connections are ended that are still open, CLOCK_MONOTONIC nanoseconds; nil unless it is closed.
  var drainDeadline: Int64?
  /// The sockets that it had when it was closed.
  private(set) var former: [SocketAssignment.Open] = []

  /// When the next listener is to be started, CLOCK_MONOTONIC nanoseconds; nil if none is wanted.
  var restartTime: Int64?
  /// Whether a listener is wanted that cannot be started before one of the others has ended.
  var waitsForRoom = false
  private var restartDelay: Int64 = 0
  /// Starts that failed in a row.
  var startRetry = Retry.ofListeners

  /// - Parameter book: the admission book that a former begatd has left; nil makes a new one.
  /// - Throws: when there is no memory for the admission book.
  init(
    _ loaded: LoadedService, number: UInt32, sockets: [HeldSocket], book: consuming Descriptor? = nil
  ) throws(SystemCallError) {
    let configuration = loaded.configuration
    self.configuration = configuration
    inputs = loaded.inputs
    self.number = number
    self.sockets = sockets
    switch consume book {
    case .some(let book): admissionBook = book
    case nil:
      admissionBook = try AdmissionBook.create(maxConnections: configuration.settings.admission.maxConnections)
    }
    noteUnixAddress()
  }

  var name: String { configuration.name }

  /// Whether it is of a kind that serves until all others have drained, so that its clients learn of that.
  var endsLast: Bool { configuration.builtIn?.endsLast ?? false }

  /// Those that accept no more and let their connections end, and those that never began and are being ended.
  var retiring: [Generation] { generations.filter { $0 !== current && $0 !== successor } }

  var isServing: Bool { current != nil }

  /// Whether it is closed and its last connection has ended.
  var isDrained: Bool { drain.isClosed && generations.isEmpty }

  /// Passed sockets at which clients wait although the service is closed.
  var socketsWithWaitingClients: [HeldSocket] {
    drain.isClosed ? sockets.filter { $0.passedName != nil && !$0.dropsNewClients } : []
  }

  /// Connections at present.
  var active: Int { generations.reduce(0) { $0 + $1.board.active } }

  /// Whether a generation may still accept a client, so that no other may begin.
  var isAccepting: Bool { generations.contains { $0.state == .accepting || $0.state == .retiring } }

  /// The kinds of the sockets that its next listener serves; of those that it gives up if there are no others.
  var socketKinds: Set<ServiceMode.SocketKind> { Set((sockets.isEmpty ? closing : sockets).map(\.kind)) }

  /// The columns of the generations that live.
  var columnsInUse: AdmissionColumns {
    generations.reduce(into: []) { columns, generation in columns.insert(AdmissionColumns(generation.column)) }
  }

  /// A column of the admission book that no living generation has.
  ///
  /// - Precondition: there is room for another generation.
  var freeColumn: Int {
    let used = columnsInUse
    guard let column = (0..<ManagedService.maxGenerations).first(where: { !used.contains(AdmissionColumns($0)) }) else {
      preconditionFailure("a service has no more than \(ManagedService.maxGenerations) generations")
    }
    return column
  }

  /// The number of the next generation; none is used twice.
  func nextGenerationNumber() -> UInt64 {
    lastGenerationNumber += 1
    return lastGenerationNumber
  }

  /// Goes on counting where services of the same name have stopped, which may still have listeners.
  func skipGenerations(of former: [ManagedService]) {
    for service in former where service.name == name {
      lastGenerationNumber = max(lastGenerationNumber, service.lastGenerationNumber)
    }
  }

  /// Takes over a generation that was started.
  func await(_ generation: Generation) {
    generations.append(generation)
    successor = generation
  }

  /// Takes over what a former begatd has left of the service.
  ///
  /// - Parameter generations: the oldest first.
  func adopt(_ saved: SavedState.Service, _ generations: [Generation]) {
    lastGenerationNumber = max(saved.lastGeneration, generations.map(\.number).max() ?? 0)
    totals = saved.totals
    if let time = saved.startTime { startTime = min(startTime, time) }
    self.generations = generations
    current = generations.last { $0.state == .accepting }
    successor = generations.last { $0.state < .accepting }
  }

  /// Makes the successor the generation that accepts clients; it has begatd's given-up sockets too.
  func begin() {
    current = successor
    current?.state = .accepting
    successor = nil
    pendingClear = []
    if !closing.isEmpty { current?.closingDeadline = SystemClock.monotonic() + ManagedService.lingerTime }
    linger(closing)
    closing = []
  }

  /// The sockets that a listener is closing now.
  var lingering: [HeldSocket] { leaving.map(\.socket) }
  /// When the first of begatd's copies of those is to be closed, CLOCK_MONOTONIC nanoseconds; nil if there are none.
  var lingerDeadline: Int64? { leaving.first?.deadline }

  /// Keeps given-up sockets for as long as a listener may take to close its copies.
  private func linger(_ sockets: [HeldSocket]) {
    let deadline = SystemClock.monotonic() + ManagedService.lingerTime
    // The kernel shares no name of a Unix socket, and would give datagrams to both sockets.
    leaving += sockets.filter { !$0.isDatagram && !$0.address.isUnix }.map { ($0, deadline) }
  }

  /// Handshakes that had begun may take a second.
  private static let lingerTime: Int64 = 2_000_000_000

  /// Closes begatd's copies of sockets that listeners have closed by a time.
  func endLingering(by time: Int64 = .max) { leaving.removeAll { $0.deadline <= time } }

  /// Leaves the addresses of a closed service to others, once no listener has its sockets any more.
  func endLingeringIfClosed() {
    guard drain.isClosed, current == nil, successor == nil, !isAccepting else { return }
    endLingering()
  }

  /// Notes that a generation accepts no more, or is not to begin.
  func withdraw(_ generation: Generation) {
    if current === generation { current = nil }
    if successor === generation { successor = nil }
  }

  /// Takes a generation that has ended out of the list, and keeps what it has counted.
  ///
  /// - Returns: how many connections ended with it, and how many records of others it had not delivered.
  func forget(_ generation: Generation) -> (connections: UInt64, records: UInt64) {
    withdraw(generation)
    generations.removeAll { $0 === generation }
    var counters = generation.board.counters
    let lost = counters.settle(
      recordsReceived: generation.recordsReceived, open: generation.board.openDurations(now: SystemClock.monotonic()))
    totals.add(counters)
    return lost
  }

  private static let healthyAge: Int64 = 60_000_000_000
  private static let youngAge: Int64 = 1_000_000_000
  private static let shortestDelay: Int64 = 100_000_000
  private static let longestDelay: Int64 = 30_000_000_000
  /// A listener that works and is stopped by others, however often: clients wait no longer than half a second.
  private static let longestDelayAfterKill: Int64 = 400_000_000

  /// Plans the next listener after the last one stopped accepting: immediately if that had served for a while, later and
  /// later if it ends young.
  ///
  /// - Parameter isHealthy: whether another process ended it, and no fault of its own.
  /// - Returns: the delay in nanoseconds.
  func scheduleRestart(after last: Generation, isHealthy: Bool) -> Int64 {
    let now = SystemClock.monotonic()
    let age = last.readySince.map { now - $0 } ?? 0
    if age >= ManagedService.healthyAge { restartDelay = 0 }
    var delay: Int64 = 0
    if age < ManagedService.youngAge {
      let longest = isHealthy ? ManagedService.longestDelayAfterKill : ManagedService.longestDelay
      delay = min(restartDelay, longest)
      restartDelay = min(max(2 * delay, ManagedService.shortestDelay), longest)
    }
    restartTime = now + delay
    return delay
  }

  /// The address of its one Unix socket for connections; nil if it has several or none.
  private(set) var onlyUnixAddress: SocketAddress?

  /// Takes over the settings of a new configuration.
  func adopt(_ loaded: LoadedService) {
    configuration = loaded.configuration
    inputs = loaded.inputs
  }

  /// Gives the service the sockets of a new configuration.
  ///
  /// - Parameter closing: those that it has given up.
  func replaceSockets(_ sockets: [HeldSocket], closing: [HeldSocket]) {
    self.sockets = sockets
    self.closing += closing
    noteUnixAddress()
  }

  private func noteUnixAddress() {
    let addresses = sockets.filter { !$0.isDatagram && $0.address.isUnix }.map(\.address)
    onlyUnixAddress = addresses.count == 1 ? addresses[0] : nil
  }

  /// Gives up the sockets that begatd bound; those of the service manager stay.
  func giveUpSockets() {
    former = sockets.map {
      SocketAssignment.Open(
        address: $0.address, isDatagram: $0.isDatagram, device: $0.device, wanted: $0.wanted,
        passedName: $0.passedName, service: name)
    }
    linger((sockets + closing).filter { !$0.staysOpen })
    sockets.removeAll { $0.passedName == nil }
    closing = []
  }

  /// Takes the sockets with which it serves again.
  func resume(with sockets: [HeldSocket]) {
    drain.resume()
    drainDeadline = nil
    former = []
    replaceSockets(sockets, closing: [])
  }

  /// Closes begatd's copies of the sockets; their files stay.
  ///
  /// - Parameter givenUp: those that no other service has.
  func releaseSockets(_ givenUp: [HeldSocket] = []) {
    for socket in sockets { socket.takeNewClients() }
    linger(givenUp + closing)
    sockets = []
    closing = []
  }

  /// Closes the sockets and removes the files that begatd made.
  func closeSockets() {
    sockets.removeFiles()
    closing.removeFiles()
    releaseSockets()
    endLingering()
  }
}
