import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
@_spi(Begat) import UnixCore

/// The life of one connection, in a process of its own that was just forked.
///
/// A class: its instance lies on the heap, which children have, while they lack the listener's stack.  It is passed on
/// unmanaged, since counting references would copy its page.
final class ConnectionProcess {
  private let service: ServiceFunction
  let limits: TimeLimits
  private let names: NameClient?
  /// What `ps` shows before the peer's address.
  let title: String
  private let titleLength: Int
  private let processTitle: ProcessTitle?
  let listener: pid_t
  /// Whether it may start processes, as a service does that runs programs.
  private let startsProcesses: Bool
  /// Its standard error, for the log; nil keeps the listener's.
  private let errors: CInt?
  private let peerText: PeerText
  /// Descriptors besides 0, 1, 2 and the client's that it needs, in ascending order; never freed.
  let kept: UnsafeMutableBufferPointer<CInt>
  /// Made before the fork, as everything that needs the run-time library.
  ///
  /// A terminal's interrupt is for the listener, which lets its connections end.
  private let blockedSignals = SignalSet(.interrupt, .hangUp)
  private let endWithListener = Signal.kill
  /// A constant of the library is on a page that nothing else of a connection needs.
  private let processLimit = ResourceLimit.processes

  /// - Parameter errors: where standard error of connection processes goes.
  /// - Parameter keeping: open descriptors that the service needs.
  init(
    service: @escaping ServiceFunction, limits: TimeLimits, names: NameClient?, title: String, listener: pid_t,
    processTitle: consuming ProcessTitle? = nil,
    errors: CInt? = nil, peerText: PeerText = PeerText(.full), keeping: [CInt] = [], startsProcesses: Bool = false
  ) {
    self.processTitle = processTitle
    self.startsProcesses = startsProcesses
    self.service = service
    self.limits = limits
    self.names = names
    self.title = title
    titleLength = title.utf8.count
    self.listener = listener
    self.errors = errors
    self.peerText = peerText
    let numbers = (keeping + [names?.socketNumber].compactMap { $0 }).sorted()
    kept = .allocate(capacity: numbers.count)
    _ = kept.initialize(from: numbers)
  }

  /// What `ps` shows for a service.
  static func title(of service: String) -> String { "begat-listener: \(service)" }

  /// The data of one connection, which its process gets as bytes that are copied at the fork.
  struct Birth: ~Copyable {
    let process: Unmanaged<ConnectionProcess>
    let connection: CInt
    let client: Client
    /// How many connections the client's source has.
    let connections: Int
    let proxied: ProxiedEnds?
    let slot: UnsafeMutablePointer<begat_slot>
    /// A pipe for its standard error alone; nil uses the one that all share.
    let errors: CInt?
  }

  /// The whole life of the process: reads no option and no file, since all that was done before the fork.
  static let live: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { birth in
    let birth = UnsafePointer(birth!.assumingMemoryBound(to: Birth.self))
    return birth.pointee.process._withUnsafeGuaranteedRef { $0.serve(birth) }
  }

  private func serve(_ birth: UnsafePointer<Birth>) -> CInt {
    guard followListener(errors: birth.pointee.errors) else { return 1 }
    closeOthers(than: birth.pointee.connection)
    if !startsProcesses { forbidProcesses() }
    return converse(birth)
  }

  /// Prepares a process for a client that is still to come: all but the listener's descriptors is as it will be.
  ///
  /// A signal that ends it comes before it has a client.
  func prepareSpare() {
    show(" (spare)")
    guard followListener(errors: nil) else { ProcessControl.exitImmediately(status: 1) }
    forbidProcesses()
    blockedSignals.setThreadMask()
  }

  /// Serves the client of a process that was prepared, and ends the process.  It is not declared `Never`: the compiler
  /// would warn that values of the caller are never destroyed, which is intended.
  ///
  /// - Parameter leave: gives up what the process has shared with the listener, before it reads anything of the client.
  func serve(_ birth: UnsafePointer<Birth>, afterLeaving leave: () -> Void) {
    closeOthers(than: birth.pointee.connection)
    leave()
    ProcessControl.exitImmediately(status: converse(birth))
  }

  /// - Returns: false if the listener has ended.
  @inline(__always)
  private func followListener(errors ownErrors: CInt?) -> Bool {
    // When the listener dies, so does this; it may have died already.
    let follows = try? ProcessControl.setParentDeathSignal(endWithListener, parent: listener)
    guard follows == true else { return false }
    if let errors {
      // Programs get the number that was known before the fork, whatever it is another name of.
      if let ownErrors { StandardError.rename(ownErrors, to: errors) }
      StandardError.redirect(to: errors)
    }
    return true
  }

  /// - Returns: the status with which the process ends.
  @inline(__always)
  private func converse(_ birth: UnsafePointer<Birth>) -> CInt {
    blockedSignals.setThreadMask()

    show(birth)
    // Never destroyed: the end of the process closes the connection.
    return withUnsafeTemporaryAllocation(of: Connection.self, capacity: 1) { room in
      let connection = room.baseAddress!
      let tally = Tally(birth.pointee.slot)
      connection.initialize(
        to: Connection(
          socket: Descriptor(owning: birth.pointee.connection),
          peer: Peer(
            address: birth.pointee.client.address, credentials: birth.pointee.client.credentials,
            connections: birth.pointee.connections, proxied: birth.pointee.proxied, names: names),
          limits: limits, tally: tally))
      let status = serve(&connection.pointee)
      // The listener may reap this process some time later.
      birth.pointee.slot.pointee.ended = SystemClock.monotonicByCall()
      return status
    }
  }

  /// Serves a client that is gone already, in the listener itself: what the run-time library and the C library set up
  /// at first use is then there for all connection processes, instead of being set up in each.
  ///
  /// A service that starts a program is not served: of it, what it asks of its client is looked at.
  ///
  /// - Parameter serves: whether the service may serve.
  func warmUp(serves: Bool) throws(SystemCallError) {
    let ends = try SocketPair(kind: .stream)
    let socket = ends.first
    _ = consume ends.second
    let slot = UnsafeMutablePointer<begat_slot>.allocate(capacity: 1)
    slot.initialize(to: begat_slot())
    defer { slot.deallocate() }
    let peer = Peer(address: .ipv4(.loopback, port: 0))
    var connection = Connection(socket: socket, peer: peer, limits: TimeLimits(), tally: Tally(slot))
    if serves { _ = serve(&connection) } else { connection.clientVariables.warmUp() }
  }

  /// Serves a client that is gone already, in a process that waits for a client: what that will need of memory is then
  /// there.
  ///
  /// - Parameter socket: one whose other end is closed.
  func rehearse(_ socket: consuming Descriptor, slot: UnsafeMutablePointer<begat_slot>) {
    let peer = Peer(address: .ipv4(.loopback, port: 0))
    var connection = Connection(socket: socket, peer: peer, limits: TimeLimits(), tally: Tally(slot))
    _ = serve(&connection)
    connection.finish()
  }

  /// Serves and finishes; returns the status that tells the listener how it went.
  func serve(_ connection: inout Connection) -> CInt {
    do throws(ConnectionFailure) {
      try service(&connection)
      connection.finish()
      return Outcome.completeStatus
    } catch {
      switch error {
      case .clientClosed: return Outcome.clientClosedStatus
      case .exited(let status):
        connection.finish()
        return CInt(status)
      case .call(let code):
        try? StandardError.tryWrite("\(errors == nil ? "\(title): connection: " : "")\(code)\n")
        return Outcome.failedStatus
      }
    }
  }

  /// The listener's descriptors are no business of a client's: all but 0, 1, 2 and what is needed here.
  private func closeOthers(than socket: CInt) {
    do throws(SystemCallError) {
      try DescriptorRange.close(from: 3, keeping: UnsafeBufferPointer(kept), and: socket)
    } catch { ProcessControl.exitImmediately(status: Outcome.failedStatus) }
  }

  /// The listener cannot set this limit: RLIMIT_NPROC counts all processes of its user together.
  private func forbidProcesses() {
    do throws(SystemCallError) { try processLimit.set(soft: 0, hard: 0) } catch {
      ProcessControl.exitImmediately(status: Outcome.failedStatus)
    }
  }

  private func show(_ birth: UnsafePointer<Birth>) {
    switch processTitle {
    case .some(let processTitle):
      withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
        var text = ByteWriter(room)
        text.append(UInt8(ascii: " "))
        if let address = birth.pointee.client.address { peerText.write(address, to: &text) }
        // The listener's own title stands there already.
        processTitle.show(text.bytes, after: titleLength)
      }
    case nil: break
    }
  }
}

extension ConnectionProcess {
  private func show(_ text: StaticString) {
    switch processTitle {
    case .some(let processTitle):
      processTitle.show(
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), after: titleLength)
    case nil: break
    }
  }
}

extension Tally {
  /// Counts in a scoreboard's slot.
  init(_ slot: UnsafeMutablePointer<begat_slot>) {
    self.init(received: begat_slot_received(slot), sent: begat_slot_sent(slot), waiting: begat_slot_waiting(slot))
  }
}
