import Admission
import CSharedLayouts
import Settings
@_spi(Begat) import UnixCore

/// The spares of a listener: how many there are to be, and whether they or the listener accept clients.
struct SparePool: ~Copyable {
  /// Has room for no spare where the service has none.
  let board: SpareBoard
  /// nil for a service without spares; never freed.
  private let memory: UnsafeMutablePointer<SpareMemory>?
  var demand: SpareDemand
  /// Whether the listener has left accepting to the spares.
  private(set) var isOpen = false
  private var openedAt = Deadline.immediate
  /// The gate stays closed until this time after a client that a spare could not serve, and while clients come in crowds.
  private(set) var reopenTime = Deadline.immediate
  /// When spares may be made again after they could not be, or after several have died before they had a client.
  private(set) var retryTime = Deadline.immediate
  private var deathsInVain = 0
  private var delay = SparePool.minDelay
  /// How long the gate stays closed when the next crowd comes.
  private var crowdTime = SparePool.minCrowdTime
  /// The clients that the listener has accepted itself in this turn.
  private var clientsOfTurn = 0
  /// The clients that it has accepted since the gate was closed.
  private var clients = 0
  /// The turns in which there were any.
  private var turns = 0

  /// Clients that must wait or are refused are likely to be followed by others.
  private static let calmTime: Duration = .seconds(1)
  /// How long the listener accepts itself when clients come faster than spares can be made.  The time doubles each time
  /// the spares are used up within `minCrowdTime`.
  private static let minCrowdTime: Duration = .milliseconds(100)
  private static let maxCrowdTime: Duration = .milliseconds(1600)
  /// If this many clients wait while no spare is left, clients come faster than spares are made.  A single client that comes
  /// again as soon as it is served counts twice at most.
  private static let crowd = 3
  private static let maxDeathsInVain = 3
  private static let minDelay: Duration = .seconds(1)
  /// How long a spare may need to give its number back.
  private static let numberDelay: Duration = .milliseconds(5)
  private static let maxDelay: Duration = .seconds(60)

  /// How many spares a listener may have at once; 0 for a service without spares.
  static func limit(_ options: ListenerOptions, _ sockets: borrowing ServiceSockets) -> Int {
    sockets.streams.isEmpty ? 0 : options.spareSlots
  }

  /// - Parameter limit: 0 for a service without spares.  There are none where descriptors are short.
  /// - Parameter memory: as `SpareMemory` needs it.
  init(upTo limit: Int, in memory: UnsafeMutableRawBufferPointer) throws(SystemCallError) {
    do throws(SystemCallError) {
      if limit > 0 {
        let value = try SpareMemory(capacity: limit, in: memory)
        let place = UnsafeMutablePointer<SpareMemory>.allocate(capacity: 1)
        place.initialize(to: value)
        self.memory = place
        board = place.pointee.board
      } else {
        self.memory = nil
        board = SpareBoard()
      }
    } catch {
      guard error.code.isResourceExhaustion else { throw error }
      self.memory = nil
      board = SpareBoard()
    }
    demand = SpareDemand(limit: board.capacity)
  }

  /// Whether the service may have spares at all.
  var areUsed: Bool { board.capacity > 0 }

  /// Whether spares may be made.
  var isUsable: Bool { memory?.pointee.isUsable ?? false }

  /// The descriptor by which spares wake the listener; nil where there are none.
  var bellNumber: CInt? { memory?.pointee.bell.descriptor.number }

  /// The code and data of all spares; nil before `prepare`.
  var process: UnsafePointer<SpareProcess>? { memory?.pointee.process }

  /// Watches the listening sockets for all spares.
  func prepare(
    _ connection: Unmanaged<ConnectionProcess>, _ admission: UnsafePointer<Admission>, sockets: [StreamSocket],
    slots: UnsafeMutablePointer<begat_slot>, refusalLine: [UInt8]?
  ) throws(SystemCallError) {
    try memory?.pointee.prepare(connection, admission, sockets: sockets, slots: slots, refusalLine: refusalLine)
  }

  /// Makes no more spares.
  func retire() { memory?.pointee.closePollers() }

  /// When there is something to do that no descriptor announces.
  ///
  /// - Parameter mayOpen: whether nothing but time keeps the spares from accepting.
  func due(mayOpen: Bool) -> Deadline {
    guard demand.target > 0 else { return .never }
    guard !isOpen, mayOpen else { return demand.due }
    return min(demand.due, board.waiting > 0 ? reopenTime : max(reopenTime, retryTime))
  }

  // MARK: - The gate

  /// Lets the spares accept.
  mutating func open(now: Deadline) {
    isOpen = true
    openedAt = now
    (clients, turns) = (0, 0)
    board.open()
  }

  /// Stops the spares from accepting.
  mutating func close() {
    isOpen = false
    (clients, turns) = (0, 0)
    board.close()
  }

  // MARK: - Clients that come to the listener

  /// Notes a client that spares could not serve, or would not have been able to.
  mutating func noteTrouble() { if areUsed { reopenTime = Deadline(after: SparePool.calmTime) } }

  /// Notes a client that the listener has accepted.
  mutating func noteClient(now: Deadline) {
    clientsOfTurn += 1
    demand.noteClient(bySpare: false, now: now)
  }

  /// Notes the end of a turn of the listener.
  mutating func noteTurn() {
    guard clientsOfTurn > 0 else { return }
    clients += clientsOfTurn
    turns += 1
    clientsOfTurn = 0
  }

  /// Notes that the listener has accepted the clients that waited while no spare was left.  If there were several, the
  /// processors make processes all the time, and a spare saves nothing: the listener then accepts for a while.
  mutating func noteHelp(now: Deadline) {
    defer { clientsOfTurn = 0 }
    guard clientsOfTurn >= SparePool.crowd else { return }
    let isSoon = openedAt.advanced(by: SparePool.minCrowdTime) > now
    crowdTime = isSoon ? min(crowdTime * 2, SparePool.maxCrowdTime) : SparePool.minCrowdTime
    reopenTime = max(reopenTime, now.advanced(by: crowdTime))
  }

  /// Waits longer if clients have come in crowds since the gate was closed.
  mutating func lookForCrowd(now: Deadline) {
    if turns > 0, clients >= 2 * turns { reopenTime = max(reopenTime, now.advanced(by: SparePool.minCrowdTime)) }
    (clients, turns) = (0, 0)
  }

  // MARK: - The lives of spares

  /// Notes that a spare has served a client.
  mutating func noteSuccess() {
    deathsInVain = 0
    delay = SparePool.minDelay
  }

  /// Notes that a spare could not be made.
  mutating func noteFailedFork() { retryTime = Deadline(after: SparePool.minDelay) }

  /// Notes that all spares that there may be have a client, and some have not given their numbers back.
  mutating func noteNoNumber() { retryTime = Deadline(after: SparePool.numberDelay) }

  /// Notes that a spare has died before it had a client.
  ///
  /// - Returns: how long no spares are made; nil unless that is to be logged.
  mutating func noteDeath() -> Duration? {
    deathsInVain += 1
    guard deathsInVain >= SparePool.maxDeathsInVain else { return nil }
    deathsInVain = 0
    defer { delay = min(delay * 2, SparePool.maxDelay) }
    retryTime = Deadline(after: delay)
    return delay
  }
}
