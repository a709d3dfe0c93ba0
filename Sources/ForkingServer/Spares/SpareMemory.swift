import Admission
import CSharedLayouts
import ControlProtocol
@_spi(Begat) import UnixCore

/// The memory and the descriptors that a listener shares with its spares, until they meet their clients' bytes.
///
/// Each spare has a poller that watches the listening sockets: a waiting client wakes one of them, or few.  The pollers
/// are there before the forks; a spare whose place becomes free leaves its poller to the next one.
struct SpareMemory: ~Copyable {
  /// How many spares there may be at once.
  let capacity: Int
  private let mapping: MemoryMapping?
  private let bell: Bell?
  /// A client's socket whose other end is closed.
  private let deadClient: Descriptor?
  private let header: UnsafeMutablePointer<begat_spares>?
  private let pollers: UnsafeMutablePointer<Poller>?
  private var hasPollers = false
  /// The descriptors of all spares besides their own poller, in ascending order; never freed.
  private var kept = UnsafeBufferPointer<CInt>(start: nil, count: 0)

  /// - Parameter capacity: 0 for a service without spares, for which nothing is allocated.
  init(capacity: Int) throws(SystemCallError) {
    guard capacity > 0 else {
      self.capacity = 0
      mapping = nil
      bell = nil
      deadClient = nil
      header = nil
      pollers = nil
      return
    }
    let size = Int(BEGAT_SPARES_HEADER_SIZE) + capacity * MemoryLayout<begat_claim>.stride
    let mapping = try MemoryMapping.shared(size: size, isInherited: false)
    let bell = try Bell()
    let ends = try SocketPair(kind: .stream)
    let deadClient = ends.first
    _ = consume ends.second
    let pollers = UnsafeMutablePointer<Poller>.allocate(capacity: capacity)
    for number in 0..<capacity {
      do throws(SystemCallError) { (pollers + number).initialize(to: try Poller()) } catch {
        pollers.deinitialize(count: number)
        pollers.deallocate()
        throw error
      }
    }
    self.capacity = capacity
    header = mapping.unsafeBytes.baseAddress!.bindMemory(to: begat_spares.self, capacity: 1)
    self.mapping = consume mapping
    self.bell = consume bell
    self.deadClient = consume deadClient
    self.pollers = pollers
    hasPollers = true
  }

  private var start: UnsafeMutablePointer<begat_spares> { header! }

  /// The spare of this number, from 0 to `capacity` - 1.
  func claim(_ number: Int) -> UnsafeMutablePointer<begat_claim> {
    (UnsafeMutableRawPointer(start) + Int(BEGAT_SPARES_HEADER_SIZE)).assumingMemoryBound(to: begat_claim.self) + number
  }

  func state(_ number: Int) -> Int { Int(begat_load(begat_claim_state(claim(number)))) }

  func setState(_ number: Int, _ state: Int) { begat_store(begat_claim_state(claim(number)), UInt32(state)) }

  /// The lock for all that spares and listener change.
  var lock: AdmissionLock { AdmissionLock(at: begat_spares_lock(start)) }

  // MARK: - Descriptors

  /// Watches the listening sockets for all spares.
  ///
  /// - Parameter keeping: further descriptors that connection processes keep.
  mutating func watch(_ sockets: [StreamSocket], keeping others: UnsafeMutableBufferPointer<CInt>)
    throws(SystemCallError)
  {
    for number in 0..<capacity {
      for (index, entry) in sockets.enumerated() {
        try pollers![number].add(
          entry.socket.descriptor.number, [.readable, .exclusive], token: UInt64(index))
      }
    }
    let own = [bellNumber, deadClientNumber].compactMap { $0 }
    let numbers = (sockets.map { $0.socket.descriptor.number } + others + own).sorted()
    let room = UnsafeMutableBufferPointer<CInt>.allocate(capacity: numbers.count)
    _ = room.initialize(from: numbers)
    kept = UnsafeBufferPointer(room)
  }

  /// Whether `watch` was called.
  var isWatching: Bool { !kept.isEmpty }

  /// Watches the sockets no more.
  mutating func closePollers() {
    guard hasPollers else { return }
    hasPollers = false
    pollers!.deinitialize(count: capacity)
  }

  /// Whether spares may be made.
  var isUsable: Bool { hasPollers }

  /// The descriptor by which spares wake the listener; nil where there are none.
  var bellNumber: CInt? {
    switch bell {
    case .some(let bell): bell.descriptor.number
    case nil: nil
    }
  }

  /// A client's socket whose other end is closed; nil where there are no spares.
  var deadClientNumber: CInt? {
    switch deadClient {
    case .some(let deadClient): deadClient.number
    case nil: nil
    }
  }

  /// Closes all descriptors that a spare does not need.
  func closeOthers(of number: Int) throws(SystemCallError) {
    try DescriptorRange.close(from: 3, keeping: kept, and: pollers![number].descriptor.number)
  }

  /// Waits for a client.
  ///
  /// - Returns: the index of its socket; nil after an interruption.
  func awaitClient(_ number: Int) -> Int? {
    var index: Int?
    pollers![number].wait(milliseconds: -1, maxCount: 1) { index = Int($0.token) }
    return index
  }

  // MARK: - Inheritance

  func setInherited(_ isInherited: Bool) throws(SystemCallError) {
    switch mapping {
    case .some(let mapping): try mapping.setInherited(isInherited)
    case nil: break
    }
  }

  func unmapInCopy() throws(SystemCallError) {
    switch mapping {
    case .some(let mapping): try mapping.unmapInCopy()
    case nil: break
    }
  }

  // MARK: - The gate

  /// Whether spares accept clients.
  var isOpen: Bool { begat_load(begat_spares_gate(start)) != 0 }

  func open() {
    begat_store(begat_spares_gate(start), 1)
    begat_futex_wake(begat_spares_gate(start))
  }

  func close() { begat_store(begat_spares_gate(start), 0) }

  /// Waits until spares accept clients.
  func awaitOpening() { while !isOpen { begat_futex_wait(begat_spares_gate(start), 0, SpareMemory.longWait) } }

  private static let longWait: Int64 = 3_600_000_000_000

  // MARK: - Counts, and waking the listener

  /// How many spares have no client.
  var waiting: Int { Int(begat_load(begat_spares_waiting(start))) }

  /// - Returns: how many there are now.
  @discardableResult
  func addWaiting(_ change: Int32) -> Int { Int(begat_add(begat_spares_waiting(start), change)) }

  /// Counts them anew, after one has died; the caller has the lock.
  func recountWaiting() {
    let count = (0..<capacity).count { state($0) == BEGAT_SPARE_WAITING }
    begat_store(begat_spares_waiting(start), UInt32(count))
  }

  func setLowWater(_ count: Int) { begat_store(begat_spares_low_water(start), UInt32(count)) }

  /// Says whether the listener waits for anything at all: then every client must wake it.
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
    switch bell {
    case .some(let bell): bell.ring()
    case nil: break
    }
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
    claim.pointee.peer_pid = client.credentials?.process ?? 0
    claim.pointee.user = client.credentials?.user ?? 0
    claim.pointee.group = client.credentials?.group ?? 0
  }

  /// Waits until the listener has decided on the client of a spare.
  ///
  /// - Returns: whether it is admitted.
  func awaitAnswer(_ number: Int) -> Bool {
    let state = begat_claim_state(claim(number))!
    while begat_load(state) == UInt32(BEGAT_SPARE_ASKING) {
      begat_futex_wait(state, UInt32(BEGAT_SPARE_ASKING), SpareMemory.longWait)
    }
    return begat_load(state) == UInt32(BEGAT_SPARE_ADMITTED)
  }

  /// Tells a spare the decision on its client.
  func answer(_ number: Int, isAdmitted: Bool) {
    setState(number, isAdmitted ? BEGAT_SPARE_ADMITTED : BEGAT_SPARE_REFUSED)
    begat_futex_wake(begat_claim_state(claim(number)))
  }

  /// Says that a spare uses this memory and the listening sockets no more.
  func leave(_ number: Int) { begat_store(begat_claim_left(claim(number)), 1) }

  func hasLeft(_ number: Int) -> Bool { begat_load(begat_claim_left(claim(number))) != 0 }

  /// The number of the spare with this process number; nil if there is none.
  func number(of process: Int32) -> Int? {
    (0..<capacity).first { state($0) != BEGAT_SPARE_NONE && claim($0).pointee.pid == process }
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
    let address = peer.address
    let credentials =
      address?.isUnix ?? false ? PeerCredentials(process: peer_pid, user: user, group: group) : nil
    return Client(address: address, credentials: credentials, prefix: prefix)
  }
}
