import Admission
import CSharedLayouts
import ControlProtocol
@_spi(Begat) import UnixCore

/// The state that a listener and its spares share in the memory that they share: which of them accepts clients, how many
/// spares wait, and a claim of each spare on its client.
struct SpareBoard {
  /// How many spares there may be at once.
  let capacity: Int
  private let start: UnsafeMutablePointer<begat_spares>!
  /// The descriptor by which spares wake the listener.
  private let bell: CInt

  /// The board of a service without spares.
  init() {
    capacity = 0
    start = nil
    bell = -1
  }

  /// - Parameter memory: zeroed, and never unmapped by the listener.
  /// - Parameter bell: that of the listener, as `Bell.ring(_:)` takes it.
  init(in memory: UnsafeMutableRawPointer, capacity: Int, bell: CInt) {
    self.capacity = capacity
    self.bell = bell
    start = memory.bindMemory(to: begat_spares.self, capacity: 1)
  }

  /// The size in bytes of the memory.
  static func size(capacity: Int) -> Int {
    Int(BEGAT_SPARES_HEADER_SIZE) + capacity * MemoryLayout<begat_claim>.stride
  }

  /// The lock for all that spares and listener change.
  var lock: AdmissionLock { AdmissionLock(at: begat_spares_lock(start)) }

  // MARK: - Spares

  /// The claim of the spare with this number, from 0 to `capacity` - 1.
  func claim(_ number: Int) -> UnsafeMutablePointer<begat_claim> {
    (UnsafeMutableRawPointer(start) + Int(BEGAT_SPARES_HEADER_SIZE)).assumingMemoryBound(to: begat_claim.self) + number
  }

  func state(_ number: Int) -> Int { Int(begat_load(begat_claim_state(claim(number)))) }

  func setState(_ number: Int, _ state: Int) { begat_store(begat_claim_state(claim(number)), UInt32(state)) }

  /// Calls its argument with the number and the claim of each spare in a state.
  @inline(__always)
  func forEach(in wanted: Int, _ body: (Int, UnsafeMutablePointer<begat_claim>) -> Void) {
    for number in 0..<capacity where state(number) == wanted { body(number, claim(number)) }
  }

  /// Whether there is no spare that waits, has a client that its claim tells of, or has not left this memory.
  var isEmpty: Bool { (0..<capacity).allSatisfy { state($0) == BEGAT_SPARE_NONE } }

  /// The number of the spare with this process number; nil if there is none.
  func number(of process: Int32) -> Int? {
    (0..<capacity).first { state($0) != BEGAT_SPARE_NONE && claim($0).pointee.pid == process }
  }

  /// Notes that a spare no longer uses this memory and the listening sockets.
  func leave(_ number: Int) { begat_store(begat_claim_left(claim(number)), 1) }

  func hasLeft(_ number: Int) -> Bool { begat_load(begat_claim_left(claim(number))) != 0 }

  // MARK: - The gate

  /// Whether spares accept clients.
  var isOpen: Bool { begat_load(begat_spares_gate(start)) != 0 }

  func open() {
    begat_store(begat_spares_gate(start), 1)
    begat_futex_wake(begat_spares_gate(start))
  }

  func close() { begat_store(begat_spares_gate(start), 0) }

  /// Waits until spares accept clients.
  func awaitOpening() { while !isOpen { begat_futex_await(begat_spares_gate(start), 0) } }

  // MARK: - Counts, and waking the listener

  /// How many spares have no client.
  var waiting: Int { Int(begat_load(begat_spares_waiting(start))) }

  /// - Returns: how many there are now.
  @discardableResult
  func addWaiting(_ change: Int32) -> Int { Int(begat_add(begat_spares_waiting(start), change)) }

  /// Counts them anew, after one has died; the caller has the lock.
  func recountWaiting() {
    var count: UInt32 = 0
    forEach(in: Int(BEGAT_SPARE_WAITING)) { _, _ in count += 1 }
    begat_store(begat_spares_waiting(start), count)
  }

  func setLowWater(_ count: Int) { begat_store(begat_spares_low_water(start), UInt32(count)) }

  /// Sets whether the listener waits for anything at all: then every client must wake it.
  ///
  /// After this call, the listener sees everything that spares did before it, and spares see the new value.
  func setAsleep(_ isAsleep: Bool) { _ = begat_exchange(begat_spares_asleep(start), isAsleep ? 1 : 0) }

  /// Wakes the listener if it must know of a client now.
  ///
  /// - Parameter waiting: how many spares are left.
  func ringIfNeeded(waiting: Int) {
    begat_fence()
    if begat_load(begat_spares_asleep(start)) != 0 || waiting <= Int(begat_load(begat_spares_low_water(start))) {
      ring()
    }
  }

  /// Wakes the listener, unless it was woken and has not looked yet.
  func ring() {
    guard begat_exchange(begat_spares_rung(start), 1) == 0 else { return }
    Bell.ring(bell)
  }

  /// Lets spares wake the listener again: it looks now.
  func answerBell() { _ = begat_exchange(begat_spares_rung(start), 0) }

  /// The source of the last client: the next one is likely to be of it.
  var lastSource: UInt32 {
    get { begat_load(begat_spares_last_source(start)) }
    nonmutating set { begat_store(begat_spares_last_source(start), newValue) }
  }

  // MARK: - Clients

  /// Writes down a client that a spare has accepted.
  func note(_ client: Client, at socket: CInt, _ now: Deadline, in number: Int) {
    let peer = PeerFields(client.address)
    let claim = claim(number)
    claim.pointee.socket = socket
    claim.pointee.started = now.instant
    (claim.pointee.family, claim.pointee.port) = (peer.family, peer.port)
    (claim.pointee.scope, claim.pointee.address) = (peer.scope, peer.bytes)
    claim.pointee.has_credentials = client.credentials == nil ? 0 : 1
    claim.pointee.peer_pid = client.credentials?.process ?? 0
    claim.pointee.user = client.credentials?.user ?? 0
    claim.pointee.group = client.credentials?.group ?? 0
  }

  /// Waits until the listener has decided on the client of a spare.
  ///
  /// - Returns: whether it is admitted.
  func awaitAnswer(_ number: Int) -> Bool {
    let state = begat_claim_state(claim(number))!
    while begat_load(state) == UInt32(BEGAT_SPARE_ASKING) { begat_futex_await(state, UInt32(BEGAT_SPARE_ASKING)) }
    return begat_load(state) == UInt32(BEGAT_SPARE_ADMITTED)
  }

  /// Gives a spare the decision on its client.
  func answer(_ number: Int, isAdmitted: Bool) {
    setState(number, Int(isAdmitted ? BEGAT_SPARE_ADMITTED : BEGAT_SPARE_REFUSED))
    begat_futex_wake(begat_claim_state(claim(number)))
  }
}

extension begat_claim {
  /// The address of the client.
  var peer: PeerFields {
    var fields = PeerFields(nil)
    (fields.family, fields.port, fields.scope, fields.bytes) = (family, port, scope, address)
    return fields
  }

  /// The client, with the address as far as a record has it.
  func client(prefix: SourcePrefix) -> Client {
    let credentials = has_credentials == 0 ? nil : PeerCredentials(process: peer_pid, user: user, group: group)
    return Client(address: peer.address, credentials: credentials, prefix: prefix)
  }
}
