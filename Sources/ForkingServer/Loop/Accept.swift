import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
@_spi(Begat) import UnixCore

/// From a client that waits to its process: accept, admit, fork or execute.
extension Listener {
  /// How many connections of one socket are accepted before the others, exits and signals are looked at again.
  private static let acceptsPerTurn = 32

  mutating func accept(from ready: UInt64) {
    for (index, entry) in sockets.streams.enumerated() where ready & (1 << UInt64(index & 63)) != 0 {
      // One busy socket does not keep the others waiting.
      var budget = Listener.acceptsPerTurn
      while budget > 0 {
        let now = SystemClock.monotonic()
        switch admission.opening(now: now) {
        case .now: break
        case .whenOneEnds: return pauseAccepting(.full)
        case .at(let time): return pauseAccepting(.rate, until: time)
        }
        var peer = RawSocketAddress()
        do throws(SystemCallError) {
          let connection = try entry.socket.accept(peer: &peer)
          budget -= 1
          isBusy = true
          admit(connection, peer, now: now)
          if accepting.heldConnection != nil { return }
        } catch {
          if error.code == .wouldBlock {
            // The client may have gone; a Unix socket that was shut down is ready without end.
            if budget == Listener.acceptsPerTurn { _ = isListening(at: index) }
            break
          }
          if error.code.isTransientAcceptError { continue }
          if error.code.meansUnusableSocket {
            // Again at the next turn, where the socket could be mended.
            if isListening(at: index) { failed("accept at \(address(of: index)): \(error.code)") }
            return
          }
          return pauseAccepting(.shortage("accept", error.code))
        }
      }
    }
  }

  private mutating func admit(_ connection: consuming Descriptor, _ peer: RawSocketAddress, now: Int64) {
    let address = peer.address
    let user = peer.family == AF_UNIX ? (try? PeerCredentials(of: connection))?.user : nil
    var verdict = admission.admit(address, user: user, now: now)
    if case .refused(let refusal) = verdict, refusal.concernsOpenConnections {
      // Some of those that count may have ended a moment ago.
      takeExits()
      verdict = admission.admit(address, user: user, now: now)
    }
    switch verdict {
    case .admitted(let ticket):
      scoreboard.header.pointee.accepted &+= 1
      start(connection, peer, ticket)
    case .refused(let refusal):
      begat_refused(scoreboard.header, UInt32(refusal.rawValue)).pointee &+= 1
      say(refusals.refused(refusal, address, user: user, now: now))
      if let line = refusalLine { _ = line.withUnsafeBytes { bytes in try? connection.send(bytes, waiting: false) } }
    }
  }

  /// Gives the connection a process of its own.  While that cannot be had, the connection is held and nobody else is
  /// accepted: clients wait in the backlog.
  ///
  /// - Parameter heldSince: when it was accepted, if it has been waiting.
  mutating func start(
    _ connection: consuming Descriptor, _ peer: RawSocketAddress, _ ticket: Admission.Ticket, heldSince: Int64? = nil
  ) {
    let index = table.nextSlot
    let slot = scoreboard.slot(index)
    let fields = PeerFields(peer.address)
    let credentials = fields.family == PeerFields.unix ? try? PeerCredentials(of: connection) : nil
    let user = credentials?.user ?? 0
    let started = SystemClock.monotonic()
    slot.pointee = begat_slot(
      pid: 0, waiting: 0, bytes_received: 0, bytes_sent: 0, started: started, family: fields.family, port: fields.port,
      uid: user, address: fields.bytes, ended: 0)
    do throws(SystemCallError) {
      let child: pid_t
      if case .program(let program) = offer {
        // Nobody sees what goes by.
        slot.pointee.bytes_received = ConnectionRecord.unknownCount
        slot.pointee.bytes_sent = ConnectionRecord.unknownCount
        child = try execute(program, for: connection, peer, credentials, ticket)
      } else {
        child = try fork(for: connection, peer, ticket, slot)
      }
      // At once: whoever closes last does TCP's work of ending, and that should be the child.
      _ = consume connection
      slot.pointee.pid = child
      let deadline = options.maxDuration.map { started + $0.nanoseconds } ?? .max
      table.insert(
        ConnectionTable.Entry(
          process: child, slot: UInt32(index), started: started, user: user, peer: fields, ticket: ticket,
          deadline: deadline))
      scoreboard.header.pointee.active = UInt32(table.count)
      accepting.heldConnection = nil
      endShortage()
    } catch {
      guard error.code.isResourceExhaustion else {
        accepting.heldConnection = nil
        admission.giveBack(ticket)
        return sayFailed(error)
      }
      accepting.heldConnection = HeldConnection(
        socket: connection, peer: peer, ticket: ticket, since: heldSince ?? started)
      pauseAccepting(.shortage(error.call, error.code))
    }
  }

  private mutating func fork(
    for connection: borrowing Descriptor, _ peer: RawSocketAddress, _ ticket: Admission.Ticket,
    _ slot: UnsafeMutablePointer<begat_slot>
  ) throws(SystemCallError) -> pid_t {
    do throws(SystemCallError) {
      switch try forkProcess(exitSignal: Listener.exitSignal) {
      case .child:
        process.serve(
          Descriptor(owning: connection.number), peer: peer, connections: ticket.placesOfSource, slot: slot,
          processTitle: title)
      case .parent(let child): return child
      }
    } catch { throw SystemCallError("clone", code: error.code) }
  }

  private mutating func execute(
    _ program: PreparedProgram, for connection: borrowing Descriptor, _ peer: RawSocketAddress,
    _ credentials: PeerCredentials?, _ ticket: Admission.Ticket
  ) throws(SystemCallError) -> pid_t {
    let client = ClientVariables(
      local: (try? connection.localAddress())?.address, remote: peer.address, credentials: credentials,
      connectionsOfSource: ticket.placesOfSource)
    let errors = ProgramErrors.number(of: programErrors)
    return try program.start(descriptors: [connection.number, connection.number, errors]) { client.write(to: &$0) }
  }

  /// A program that cannot be run, whatever the machine has left: once at the beginning, and with a count at the end.
  mutating func sayFailed(_ failure: SystemCallError) {
    let clientsWait = if case .handover = offer { true } else { false }
    if let line = refusals.failed(failure, clientsWait: clientsWait, now: SystemClock.monotonic()) {
      reporter.log(.error, line)
    }
  }
}
