import ControlProtocol
import Glibc
import Logging
@_spi(Begat) import UnixCore

/// The service manager's store of descriptors, which it passes to the next begatd: the descriptors that this begatd wants
/// there, and those that are there.
///
/// Nothing here waits for the manager in the loop: what it does not take now is sent later, and what has changed meanwhile
/// is sent as it is then.  The order is such that a begatd that is killed between any two messages leaves a store from which
/// the next one can start: what is given up leaves first, sockets come before all else, and the document that describes
/// everything is replaced by storing the new one first.
///
/// Source: FDSTORE, FDSTOREREMOVE, FDPOLL and BARRIER in sd_notify(3), FileDescriptorStoreMax= in systemd.service(5).
final class DescriptorStore {
  /// A descriptor that the store is to have.
  struct Entry {
    let name: String
    /// Nil where it cannot be found out: then it is not stored.
    let identity: FileIdentity?
    let number: CInt
    /// Keeps the descriptor open until it is sent.
    let owner: AnyObject
    /// Whether the manager lets go of it when its peer is gone.
    let isChannel: Bool
  }

  private var socket: NotifySocket
  private let capacity: Int
  private let logger: Logger
  /// Announces that the manager has read everything; nil before the loop runs.
  private var poll: PollTable?
  /// The manager's contents once it has read every message sent.
  private var stored: [String: FileIdentity]
  /// What it is to have and has not been sent, as far as anything is missing.
  private var wanted: [Entry] = []
  /// The names of all that it is to have, the document excepted.
  private var names: [String: FileIdentity] = [:]
  private var document: (name: String, file: SharedFile)?
  private var documentNumber: UInt64
  /// Whether the manager has a document of this begatd.
  private var hasDocument = false
  private var hasSaidFull = false
  private(set) var isFrozen = false
  private var retry = Retry(shortest: 2_000_000, longest: 1_000_000_000)
  /// The number of messages sent.
  private var sent: UInt64 = 0
  /// When what was not sent is tried again, CLOCK_MONOTONIC nanoseconds; nil if all was sent.
  private(set) var retryTime: Int64?
  /// Whether the manager is to be asked for a sign when it has read all that was sent before.
  private var wantsBarrier = false
  /// A pipe whose other end the manager closes then.
  private var barrier: SharedFile?
  private var barrierToken: PollTable.Token?

  /// - Parameter stored: what the manager has passed to this begatd, and has itself.
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
  /// systemd says how large it is from version 254 on; the unit says the same for older ones.
  ///
  /// - Parameter kept: what it has passed: then it has a store, whatever it says.
  static func ofManager(holding kept: KeptDescriptors, _ logger: Logger) -> DescriptorStore? {
    let said = getenv("FDSTORE").flatMap { Int(decimal: String(cString: $0)) }
    guard let capacity = said ?? (kept.identities.isEmpty ? nil : usualCapacity), capacity > 0,
      let socket = NotifySocket()
    else { return nil }
    return DescriptorStore(socket, capacity: capacity, stored: kept.identities, logger: logger)
  }

  /// The same after an upgrade.
  ///
  /// - Parameter stored: the names of those that the manager has; nil if it has no store.
  static func ofManager(holding kept: KeptDescriptors, named stored: [String]?, _ logger: Logger) -> DescriptorStore? {
    guard let stored, let socket = NotifySocket() else { return nil }
    let said = getenv("FDSTORE").flatMap { Int(decimal: String(cString: $0)) }
    // Documents among them are replaced by later ones, and the rest that was not handed over is given up.
    let identities = stored.map { ($0, kept.identities[$0] ?? .unknown) }
    return DescriptorStore(
      socket, capacity: said ?? usualCapacity, stored: Dictionary(identities) { first, _ in first }, logger: logger)
  }

  /// The names of those that the manager has.
  var storedNames: [String] { stored.keys.sorted() }

  /// As in begatd.service.
  private static let usualCapacity = 1024

  // MARK: Contents

  /// Changes what the manager is to have.
  ///
  /// - Parameter entries: what is most important stands first.
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

  // MARK: Sending

  func retryIfDue() {
    if let retryTime, retryTime <= SystemClock.monotonic() { deliver() }
  }

  private func deliver() {
    let before = sent
    do throws(SystemCallError) {
      try removeObsolete()
      try storeMissing()
      try replaceDocument()
      try sendBarrier()
      retryTime = nil
      _ = retry.succeeded()
    } catch {
      if sent > before { _ = retry.succeeded() }
      let (delay, isNews) = retry.failed("\(error)")
      retryTime = SystemClock.monotonic() + delay
      // A full queue is no news: the manager reads when it has time.
      if isNews, error.code != .wouldBlock { logger.warning("descriptor store: \(error); it is tried again") }
    }
  }

  private func send(_ message: String, passing descriptor: CInt? = nil) throws(SystemCallError) {
    try socket.send(message, passing: descriptor.map { [$0] } ?? [])
    sent += 1
  }

  private func removeObsolete() throws(SystemCallError) {
    let obsolete = stored.filter { name, identity in
      !KeptName.isVersioned(name) && (names[name] != identity || identity == .unknown)
    }
    for name in obsolete.keys.sorted() { try remove(name) }
  }

  private func remove(_ name: String) throws(SystemCallError) {
    try send("FDSTOREREMOVE=1\nFDNAME=\(name)")
    stored[name] = nil
  }

  /// Two places are for the document and the one that takes its place.
  private static let placesOfDocument = 2

  private func storeMissing() throws(SystemCallError) {
    guard !wanted.isEmpty else { return }
    var omitted = 0
    let documents = stored.keys.count { KeptName.stateNumber($0) != nil }
    for entry in wanted where stored[entry.name] == nil {
      guard stored.count - documents < capacity - Self.placesOfDocument else {
        omitted += 1
        continue
      }
      let polled = entry.isChannel ? "" : "\nFDPOLL=0"
      try send("FDSTORE=1\nFDNAME=\(entry.name)\(polled)", passing: entry.number)
      stored[entry.name] = entry.identity
    }
    wanted = []
    noteOmitted(omitted)
  }

  private func noteOmitted(_ count: Int) {
    if count == 0 {
      hasSaidFull = false
    } else if !hasSaidFull {
      hasSaidFull = true
      logger.warning(
        """
        descriptor store: the service manager has room for \(capacity) descriptors, and \(count) more of them would \
        outlive a restart; raise FileDescriptorStoreMax=
        """)
    }
  }

  private func replaceDocument() throws(SystemCallError) {
    if let (name, file) = document {
      try send("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", passing: file.descriptor.number)
      stored[name] = FileIdentity(of: file.descriptor) ?? .unknown
      document = nil
      hasDocument = true
    }
    guard !isFrozen, hasDocument else { return }
    let present = KeptName.state(documentNumber).text
    for name in stored.keys.sorted() where KeptName.isVersioned(name) && names[name] == nil && name != present {
      try remove(name)
    }
  }

  private func sendBarrier() throws(SystemCallError) {
    guard wantsBarrier else { return }
    let pipe = try PipeEnds()
    try send("BARRIER=1", passing: pipe.writeEnd.number)
    let reading = SharedFile(pipe.readEnd)
    wantsBarrier = false
    barrier = reading
    barrierToken = try poll?.add(reading.descriptor.number, .readable) { [unowned self] _ in endBarrier() }
  }
}
