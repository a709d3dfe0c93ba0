import ControlProtocol
import Glibc
import Logging
@_spi(Begat) import UnixCore

/// The service manager's store of descriptors, which it passes to the next begatd: the descriptors that this begatd wants
/// there, and those that are there.
///
/// The loop never waits for the manager: a message that it does not take is sent later, with the contents of that moment.
/// The order lets begatd be killed between any two messages: obsolete entries are removed first, sockets are stored before
/// the rest, and a new state document is stored before the old one is removed.
///
/// Source: FDSTORE, FDSTOREREMOVE, FDPOLL and BARRIER in sd_notify(3), FileDescriptorStoreMax= in systemd.service(5).
final class DescriptorStore {
  /// A descriptor that the store is to have.
  struct Entry {
    let name: String
    /// Nil if fstat(2) fails; then the descriptor is not stored.
    let identity: FileIdentity?
    let number: CInt
    /// Keeps the descriptor open until it is sent.
    let owner: AnyObject
    /// Whether the manager lets go of it when its peer is gone.
    let isChannel: Bool
  }

  var socket: NotifySocket
  let capacity: Int
  let logger: Logger
  /// Announces that the manager has read everything; nil before the loop runs.
  private(set) var poll: PollTable?
  /// The manager's contents once it has read every message sent.
  var stored: [String: FileIdentity]
  /// Entries that are still to be sent.
  var wanted: [Entry] = []
  /// The names that it is to have, except for the document's.
  private(set) var names: [String: FileIdentity] = [:]
  /// The document that is still to be sent.
  var document: (name: String, file: SharedFile)?
  private(set) var documentNumber: UInt64
  /// Whether this begatd has sent a document.
  var hasDocument = false
  var hasSaidFull = false
  private(set) var isFrozen = false
  var retry = Retry(shortest: 2_000_000, longest: 1_000_000_000)
  /// The number of messages sent.
  var sent: UInt64 = 0
  /// When what was not sent is tried again, CLOCK_MONOTONIC nanoseconds; nil if all was sent.
  var retryTime: Int64?
  /// Whether a barrier is still to be sent.
  var wantsBarrier = false
  /// The read end of a pipe whose write end the manager closes after reading.
  var barrier: SharedFile?
  var barrierToken: PollTable.Token?

  /// - Parameter stored: the descriptors that the manager has passed to this begatd, and still has.
  init(_ socket: consuming NotifySocket, capacity: Int, stored: [String: FileIdentity], logger: Logger) {
    self.socket = socket
    self.capacity = capacity
    self.stored = stored
    self.logger = logger
    documentNumber = stored.keys.compactMap(KeptName.stateNumber).max() ?? 0
    for (name, identity) in stored { names[name] = identity }
  }

  /// The store of the manager that has started this process; nil if it has none.
  ///
  /// - Parameter kept: the descriptors that the manager passed; if there are any, it has a store, even if FDSTORE is not
  ///   set.
  static func ofManager(holding kept: KeptDescriptors, _ logger: Logger) -> DescriptorStore? {
    guard let capacity = announcedCapacity ?? (kept.identities.isEmpty ? nil : usualCapacity), capacity > 0,
      let socket = NotifySocket()
    else { return nil }
    return DescriptorStore(socket, capacity: capacity, stored: kept.identities, logger: logger)
  }

  /// The same after an upgrade.
  ///
  /// - Parameter stored: the names of those that the manager has; nil if it has no store.
  static func ofManager(holding kept: KeptDescriptors, named stored: [String]?, _ logger: Logger) -> DescriptorStore? {
    guard let stored, let socket = NotifySocket() else { return nil }
    // Documents among them are replaced by later ones, and the rest that was not handed over is given up.
    let identities = stored.map { ($0, kept.identities[$0] ?? .unknown) }
    return DescriptorStore(
      socket, capacity: announcedCapacity ?? usualCapacity, stored: Dictionary(identities) { first, _ in first },
      logger: logger)
  }

  /// The names of those that the manager has.
  var storedNames: [String] { stored.keys.sorted() }

  /// The size of the store: systemd sets it from version 254 on, begatd.service where an older one does not.
  ///
  /// Source: FDSTORE in systemd.exec(5).
  private static var announcedCapacity: Int? { getenv("FDSTORE").flatMap { Int(decimal: String(cString: $0)) } }

  /// As in begatd.service.
  private static let usualCapacity = 1024

  // MARK: Contents

  /// Changes what the manager is to have.
  ///
  /// - Parameter entries: the most important first.
  func keep(_ entries: [Entry], _ state: SavedState) {
    guard !isFrozen else { return }
    wanted = entries.filter { $0.identity != nil }
    names = Dictionary(wanted.map { ($0.name, $0.identity ?? .unknown) }) { first, _ in first }
    do throws(SystemCallError) {
      let file = SharedFile(try state.write())
      documentNumber += 1
      document = (KeptName.state(documentNumber).text, file)
    } catch { logger.error("descriptor store: \(error.withAdvice); a restart loses what has changed") }
    deliver()
  }

  /// Whether the manager keeps a socket.
  func has(_ socket: HeldSocket) -> Bool {
    guard let identity = stored[socket.keptName.text] else { return false }
    return identity == FileIdentity(of: socket.descriptor)
  }

  /// Leaves the store as it is, for the next begatd.
  func freeze() {
    isFrozen = true
    wanted = []
    document = nil
    retryTime = nil
  }

  /// Gives up sockets of a former begatd when this one starts, and waits until the manager has closed its copies: their
  /// addresses are free then.
  func giveUpSockets(except kept: [HeldSocket], until deadline: Deadline) {
    let keptNames = Set(kept.map(\.keptName.text))
    let givenUp = names.keys.filter { KeptName.isDatagramSocket($0) != nil && !keptNames.contains($0) }
    guard !givenUp.isEmpty else { return }
    for name in givenUp { names[name] = nil }
    awaitReading()
    while retryTime != nil, !deadline.hasPassed {
      SystemClock.sleep(for: .milliseconds(2))
      deliver()
    }
    if let barrier { _ = barrier.descriptor.wait(for: .readable, until: deadline) }
    endBarrier()
  }

  // MARK: The manager's reading

  /// From now on a reader of the manager's queue can be waited for.
  func take(_ poll: PollTable) { self.poll = poll }

  /// Whether the manager has not been seen to read all that was sent.
  var isAwaitingReading: Bool { wantsBarrier || barrier != nil }

  /// Asks the manager to say when it has read all that is to be sent until now.
  func awaitReading() {
    endBarrier()
    wantsBarrier = true
    deliver()
  }

  /// Waits for the manager no more.
  func endBarrier() {
    if let barrierToken { poll?.remove(barrierToken) }
    barrierToken = nil
    barrier = nil
    wantsBarrier = false
  }
}
