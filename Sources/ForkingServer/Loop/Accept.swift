import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
import UnixIPC

/// From a client that waits to its process: accept, admit, fork or execute.
extension Listener {
  /// How many connections of one socket are accepted before the others, exits and signals are looked at again.
  private static let acceptsPerTurn = 32

  mutating func accept(from ready: UInt64) {
    for (index, entry) in sockets.streams.enumerated() where ready & (1 << UInt64(index & 63)) != 0 {
      // One busy socket does not keep the others waiting.
      var budget = Listener.acceptsPerTurn
      while budget > 0 {
        do throws(Errno) {
          guard try acceptNext(at: entry.socket) else { return }
          budget -= 1
        } catch {
          if error == .wouldBlock {
            // The client may have gone; a Unix socket that was shut down is ready without end.
            if budget == Listener.acceptsPerTurn { _ = isListening(at: index) }
            break
          }
          if error.isPassing { continue }
          if error.meansUnusableSocket {
            // Again at the next turn, where the socket could be mended.
            if isListening(at: index) { failed("accept at \(address(of: index)): \(error)") }
            return
          }
          return pauseAccepting(.shortage("accept", error))
        }
      }
    }
  }

  /// Accepts a client, if one may be accepted, and starts its process, if it is admitted.
  ///
  /// - Returns: whether further clients may be accepted.
  private mutating func acceptNext(at socket: borrowing ListeningSocket) throws(Errno) -> Bool {
    let now = Deadline.now
    // Not by way of the options: their lists would be copied, and counting references is writing to shared pages.
    let prefix = admission.limits.sourcePrefix
    var accepted: AcceptedClient?
    let answer = try admission.admit(now: now) { () throws(Errno) in
      let next = try AcceptedClient(at: socket, prefix: prefix)
      let client = next.client
      accepted = consume next
      return client
    }
    switch consume answer {
    case .wait(let wait):
      pauseAccepting(wait)
      return false
    case .admitted(let reservation):
      isBusy = true
      if let accepted = accepted.take() { start(AdmittedClient(accepted, reservation: reservation)) }
    case .refused(let refusal):
      isBusy = true
      if let accepted = accepted.take() { reconsider(accepted, refusal, now: now) }
    }
    return accepting.held == nil
  }

  /// Admits a client whose place has become free meanwhile; refuses it otherwise.
  private mutating func reconsider(_ accepted: consuming AcceptedClient, _ refusal: Refusal, now: Deadline) {
    guard refusal.concernsOpenConnections else { return refuse(accepted, refusal, now: now) }
    // Some of those that count may have ended a moment ago.
    takeExits()
    switch admission.admit(accepted.client, now: now) {
    case .admitted(let reservation): start(AdmittedClient(accepted, reservation: reservation))
    case .refused(let refusal): refuse(accepted, refusal, now: now)
    case .wait: refuse(accepted, refusal, now: now)
    }
  }

  private mutating func refuse(_ accepted: consuming AcceptedClient, _ refusal: Refusal, now: Deadline) {
    begat_refused(scoreboard.header, UInt32(refusal.rawValue)).pointee &+= 1
    say(refusals.refused(refusal, accepted.client, now: now))
    if let line = refusalLine {
      _ = line.withUnsafeBytes { bytes in try? accepted.connection.send(bytes, waiting: false) }
    }
  }

  /// Gives the client a process of its own.  While that cannot be had, the client is held and no other one is accepted:
  /// they wait in the backlog.
  mutating func start(_ admitted: consuming AdmittedClient) {
    if admitted.since == nil { scoreboard.header.pointee.accepted &+= 1 }
    let index = table.nextSlot
    let slot = scoreboard.slot(index)
    let client = admitted.client
    let fields = PeerFields(client.address)
    let started = Deadline.now
    slot.pointee = begat_slot(
      pid: 0, waiting: 0, bytes_received: 0, bytes_sent: 0, started: started.instant, family: fields.family,
      port: fields.port,
      uid: client.user ?? 0, address: fields.bytes, ended: 0)
    do throws(CallFailure) {
      let child: pid_t
      if case .program(let program) = offer {
        // Nobody sees what goes by.
        slot.pointee.bytes_received = ConnectionRecord.unknownCount
        slot.pointee.bytes_sent = ConnectionRecord.unknownCount
        child = try execute(program, for: admitted)
      } else {
        child = try fork(for: admitted, slot)
      }
      // At once: whoever closes last does TCP's work of ending, and that should be the child.
      let reservation = admitted.leave()
      slot.pointee.pid = child
      let deadline = options.maxDuration.map { started.advanced(by: $0) } ?? .never
      table.insert(
        ConnectionTable.Entry(
          process: child, slot: UInt32(index), started: started, user: client.user ?? 0, peer: fields,
          reservation: reservation, deadline: deadline))
      scoreboard.header.pointee.active = UInt32(table.count)
      endShortage()
    } catch {
      guard error.errno.isShortage else { return sayFailed(error) }
      if admitted.since == nil { admitted.since = started }
      accepting.held = consume admitted
      pauseAccepting(.shortage(error.call, error.errno))
    }
  }

  private mutating func fork(
    for admitted: borrowing AdmittedClient, _ slot: UnsafeMutablePointer<begat_slot>
  ) throws(CallFailure) -> pid_t {
    do throws(Errno) {
      switch try forkProcess(exitSignal: Listener.exitSignal) {
      case .child:
        // Never returns: what this stack has, the reservation too, is not given back by the child.
        process.serve(
          Descriptor(owning: admitted.connection.number), client: admitted.client,
          connections: admitted.reservation.placesOfSource, slot: slot, processTitle: title)
      case .parent(let child): return child
      }
    } catch { throw CallFailure("clone", errno: error) }
  }

  private mutating func execute(
    _ program: PreparedProgram, for admitted: borrowing AdmittedClient
  ) throws(CallFailure) -> pid_t {
    let number = admitted.connection.number
    let client = ClientVariables(
      local: (try? admitted.connection.localAddress())?.address, remote: admitted.client.address,
      credentials: admitted.client.credentials, connectionsOfSource: admitted.reservation.placesOfSource)
    let errors = ProgramErrors.number(of: programErrors)
    return try program.start(descriptors: [number, number, errors]) { client.write(to: &$0) }
  }

  /// A program that cannot be run, whatever the machine has left: once at the beginning, and with a count at the end.
  mutating func sayFailed(_ failure: CallFailure) {
    let clientsWait = if case .handover = offer { true } else { false }
    if let line = refusals.failed(failure, clientsWait: clientsWait, now: .now) {
      reporter.log(.error, line)
    }
  }
}
