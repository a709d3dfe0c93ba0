import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
@_spi(Begat) import UnixCore

/// The way from a client that waits to its process: accept, admit, fork or execute.
extension Listener {
  /// How many times accept(2) is tried at one socket before the others, exits and signals are looked at again.
  private static let acceptsPerTurn = 32

  mutating func accept(from ready: UInt64) {
    let first = accepting.firstSocket
    let count = sockets.streams.count
    for step in 0..<count {
      let index = (first + step) % count
      guard ready & (1 << UInt64(index & 63)) != 0 else { continue }
      let end = sockets.uncountedStreams[index]._withUnsafeGuaranteedRef { acceptSome(at: index, $0) }
      guard end != .paused else { return }
    }
  }

  /// Why accepting at a socket came to an end.
  enum AcceptEnd {
    /// No client waits any more.
    case empty
    /// Some may wait still: one busy socket does not keep the others waiting.
    case turnOver
    /// No client may be accepted at any socket now.
    case paused
  }

  mutating func acceptSome(at index: Int, _ entry: StreamSocket) -> AcceptEnd {
    for attempt in 0..<Listener.acceptsPerTurn {
      do throws(SystemCallError) {
        guard try entry.isProxied ? acceptProxied(at: entry.socket) : acceptNext(at: entry.socket) else {
          accepting.firstSocket = attempt == 0 ? index : index + 1
          return .paused
        }
      } catch {
        if error.code == .wouldBlock {
          // The client may have gone; a Unix socket that was shut down stays ready forever.
          if attempt == 0, !entry.isClosing, !isListening(at: index) { return .paused }
          return .empty
        }
        // It counts as an attempt: a security module may forbid each one and leave its client in the backlog.
        if error.code.isTransientAcceptError { continue }
        if error.code.meansUnusableSocket {
          // A Unix socket that was shut down for its last clients.
          if entry.isClosing { return .empty }
          // The next turn tries again, if the socket could be repaired.
          if isListening(at: index) { failed("accept at \(entry.address): \(error.code)") }
          return .paused
        }
        pauseAccepting(.shortage("accept", error.code))
        return .paused
      }
    }
    accepting.firstSocket = index + 1
    return .turnOver
  }

  /// Accepts a client, if one may be accepted, and starts its process, if it is admitted.
  ///
  /// - Returns: whether further clients may be accepted.
  private mutating func acceptNext(at socket: borrowing ListeningSocket) throws(SystemCallError) -> Bool {
    let now = Deadline.now
    // Not by way of the options: their lists would be copied, and counting references is writing to shared pages.
    let prefix = admission.limits.sourcePrefix
    var accepted: AcceptedClient?
    let answer = try admission.admit(now: now) { () throws(SystemCallError) in
      let next = try AcceptedClient(at: socket, prefix: prefix)
      let client = next.client
      accepted = consume next
      return client
    }
    switch consume answer {
    case .wait(let wait):
      pauseAccepting(wait)
      return false
    case .accepted(let decision):
      isBusy = true
      guard let accepted = accepted.take() else { return true }
      switch consume decision {
      case .admitted(let reservation): start(AdmittedClient(accepted, reservation: reservation))
      case .refused(let refusal): reconsider(accepted, refusal, now: now)
      }
      return accepting.held == nil
    }
  }

  /// Admits a client if a place has become free for it meanwhile, and refuses it otherwise.
  mutating func reconsider(_ accepted: consuming AcceptedClient, _ refusal: Refusal, now: Deadline) {
    guard refusal.concernsOpenConnections else { return refuse(accepted, refusal, now: now) }
    // Some of the connections that count may have ended a moment ago.
    takeExits()
    switch decision(on: accepted, now: now) {
    case .admitted(let reservation): start(AdmittedClient(accepted, reservation: reservation))
    case .refused(let refusal): refuse(accepted, refusal, now: now)
    }
  }

  /// Decides on a client that was accepted.
  func decision(on accepted: borrowing AcceptedClient, now: Deadline) -> Admission.Decision {
    accepted.isOfProxy ? admission.admitProxy(now: now) : admission.admit(accepted.client, now: now)
  }

  mutating func refuse(_ accepted: consuming AcceptedClient, _ refusal: Refusal, now: Deadline) {
    noteRefused(accepted.client, refusal, now: now)
    accepted.connection.sendRefusal(refusalLine)
  }

  /// Counts and logs that a client is refused.
  mutating func noteRefused(_ client: Client, _ refusal: Refusal, now: Deadline) {
    spares.noteTrouble()
    scoreboard.countRefused(refusal.rawValue, now: now.instant)
    admission.noteRefused(client, refusal, now: now)
    say(refusals.refused(refusal, client, now: now), .clientsRefused)
  }

  /// Gives the client a process of its own.  If none can be made, the client is held until one can, and no other client
  /// is accepted meanwhile: they wait in the backlog.
  mutating func start(_ admitted: consuming AdmittedClient) {
    let index = table.nextSlot
    let slot = scoreboard.slot(index)
    let client = admitted.client
    let socket = admitted.socket
    let fields = PeerFields(client.address)
    let via = PeerFields(admitted.proxied?.proxy)
    let isOfProxy = admitted.isOfProxy
    let started = Deadline.now
    if admitted.since == nil {
      scoreboard.countAccepted(now: started.instant)
      if spares.areUsed { spares.noteClient(now: started) }
    }
    slot.pointee = begat_slot(
      process: 0, peer: fields, via: via, user: client.user ?? 0, started: started.instant)
    do throws(SystemCallError) {
      let child: pid_t
      let pipe = startsPrograms ? programLog.openPipe() : nil
      if offerKind == .program, case .program(let program) = offer {
        // A program's bytes bypass the listener.
        slot.pointee.bytes_received = ConnectionRecord.unknownCount
        slot.pointee.bytes_sent = ConnectionRecord.unknownCount
        child = try execute(program, for: admitted, errors: programLog.number(of: pipe))
      } else {
        child = try fork(for: admitted, slot, errors: pipe == nil ? nil : programLog.number(of: pipe))
      }
      // Closed immediately: the side that closes last does TCP's closing work, which should be the child.
      let reservation = admitted.leave()
      slot.pointee.pid = child
      let number: CInt =
        switch consume pipe {
        case .some(let pipe):
          programLog.add(
            pipe,
            of: begat_record(
              .ended, process: child, peer: fields, via: via, user: client.user ?? 0, socket: socket,
              text: peerText))
        case nil: -1
        }
      let deadline = options.maxDuration.map { started.advanced(by: $0) } ?? .never
      let entry = ConnectionTable.Entry(
        process: child, slot: UInt32(index), started: started, user: client.user ?? 0, peer: fields,
        via: via, isOfProxy: isOfProxy, reservation: reservation, socket: socket, pipe: number, deadline: deadline)
      if logsOpenings { noteOpened(entry) }
      table.insert(entry)
      scoreboard.header.pointee.active = UInt32(table.count)
      endShortage()
    } catch {
      guard error.code.isResourceExhaustion else {
        endedUnserved(.failed)
        return sayFailed(error)
      }
      if admitted.since == nil { admitted.since = started }
      accepting.held = consume admitted
      pauseAccepting(.shortage(error.call, error.code))
    }
  }

  private mutating func fork(
    for admitted: borrowing AdmittedClient, _ slot: UnsafeMutablePointer<begat_slot>, errors: CInt?
  ) throws(SystemCallError) -> pid_t {
    let birth = ConnectionProcess.Birth(
      process: process, connection: admitted.connection.number, client: admitted.client,
      connections: admitted.reservation.placesOfSource, proxied: admitted.proxied, slot: slot, errors: errors)
    let child = try ForkedProcess.fork(exitSignal: exitSignal, passing: birth, ConnectionProcess.live)
    memory.noteFork()
    return child
  }

  private mutating func execute(
    _ program: PreparedProgram, for admitted: borrowing AdmittedClient, errors: CInt
  ) throws(SystemCallError) -> pid_t {
    let number = admitted.connection.number
    let client = ClientVariables(
      local: admitted.proxied?.destination ?? (try? admitted.connection.localAddress())?.address,
      remote: admitted.client.address,
      credentials: admitted.client.credentials, connectionsOfSource: admitted.reservation.placesOfSource,
      proxied: admitted.proxied)
    return try program.start(descriptors: [number, number, errors]) { client.write(to: &$0) }
  }

  /// Logs that a program cannot be run: once at the start of the episode and once, with a count, at its end.
  mutating func sayFailed(_ failure: SystemCallError) {
    if let line = refusals.failed(failure, clientsWait: offerKind.handsOver, now: .now) {
      reporter.log(.error, line)
    }
  }
}

extension Descriptor {
  /// Sends a refused client the line that is for it, if there is one.
  func sendRefusal(_ line: [UInt8]?) {
    guard let line else { return }
    _ = line.withUnsafeBytes { bytes in try? send(bytes, waiting: false) }
  }
}
