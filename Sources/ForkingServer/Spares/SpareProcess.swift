import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
@_spi(Begat) import UnixCore

/// The life of a spare: forked and confined before its client comes, it accepts one client itself and serves it.
///
/// It decides on its client in the memory of admission, under a lock, and gives that memory up before it reads anything of
/// the client.  Everything unusual is left to the listener: a service that is full or over its rate, a client that is to
/// be refused, a failure to accept.
///
/// This value lies in that memory too.
struct SpareProcess: ~Copyable {
  let board: SpareBoard
  /// The service, and how a connection process serves it.
  let connection: Unmanaged<ConnectionProcess>
  let admission: UnsafePointer<Admission>
  /// Not as an array of objects: counting references would copy pages.
  let sockets: UnsafeBufferPointer<Unmanaged<StreamSocket>>
  /// The descriptors of all spares besides their own poller, in ascending order.
  let kept: UnsafeBufferPointer<CInt>
  let pollers: UnsafePointer<Poller>
  /// A client's socket whose other end is closed.
  let deadClient: CInt
  /// Those of the scoreboard.
  let slots: UnsafeMutablePointer<begat_slot>
  let refusalLine: [UInt8]?

  /// The data of one spare, which its process gets as bytes that are copied at the fork.
  struct Birth {
    let spare: UnsafePointer<SpareProcess>
    let number: Int
  }

  /// The whole life of the process.
  static let live: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { birth in
    let birth = birth!.load(as: Birth.self)
    birth.spare.pointee.live(as: birth.number)
  }

  private func live(as number: Int) -> Never {
    connection._withUnsafeGuaranteedRef { $0.prepareSpare() }
    do throws(SystemCallError) {
      try DescriptorRange.close(from: 3, keeping: kept, and: pollers[number].descriptor.number)
    } catch { ProcessControl.exitImmediately(status: Outcome.failedStatus) }
    let claim = board.claim(number)
    claim.pointee.pid = getpid()
    board.awaitOpening()
    // Clients may be waiting already.
    var failures = 0
    takeNext(number, milliseconds: 0, &failures)
    rehearse(slots + Int(claim.pointee.slot))
    while true {
      board.awaitOpening()
      takeNext(number, milliseconds: -1, &failures)
    }
  }

  /// Waits for a client and takes it, if no other process is faster.
  ///
  /// - Parameter failures: how many times another process was.
  private func takeNext(_ number: Int, milliseconds: CInt, _ failures: inout Int) {
    var index: Int?
    pollers[number].wait(milliseconds: milliseconds, maxCount: 1) { index = Int($0.token) }
    guard let index, board.isOpen else { return }
    sockets[index]._withUnsafeGuaranteedRef { entry in
      takeClient(at: entry.socket, number)
      failures += 1
      // One that was shut down is ready forever.
      guard failures % SpareProcess.maxFailures == 0, board.isOpen, !entry.socket.isServing else { return }
      leaveToListener()
    }
  }

  private static let maxFailures = 16

  /// Does what serving a client will do, so that the client does not wait for page faults.
  private func rehearse(_ slot: UnsafeMutablePointer<begat_slot>) {
    guard admission.pointee.rehearse(board.lastSource, now: .now) else { return }
    connection._withUnsafeGuaranteedRef { $0.rehearse(Descriptor(owning: deadClient), slot: slot) }
    slot.pointee = begat_slot()
  }

  /// Accepts a client and serves it, if one may be accepted; it returns if there is none for this process.
  private func takeClient(at socket: borrowing ListeningSocket, _ number: Int) {
    let prefix = admission.pointee.limits.sourcePrefix
    let now = Deadline.now
    var accepted: AcceptedClient?
    var waiting = 0
    let answer: Admission.Answer
    do throws(SystemCallError) {
      answer = try admission.pointee.admit(now: now) { () throws(SystemCallError) in
        guard board.isOpen else { throw SystemCallError("accept", code: .wouldBlock) }
        let next = try AcceptedClient(at: socket, prefix: prefix)
        let client = next.client
        board.note(client, at: next.socket, now, in: number)
        board.setState(number, Int(BEGAT_SPARE_ACCEPTED))
        accepted = consume next
        return client
      } noting: { decision in
        waiting = note(decision, number)
      }
    } catch {
      if error.code == .connectionAbort || error.code == .wouldBlock { return }
      return leaveToListener()
    }
    switch consume answer {
    case .wait: leaveToListener()
    case .accepted(let decision):
      guard let client = accepted.take() else { return }
      switch consume decision {
      case .admitted(let reservation):
        let places = reservation.placesOfSource
        reservation.leaveToListener()
        board.ringIfNeeded(waiting: waiting)
        serve(client, places: places, number)
      case .refused:
        board.ring()
        if board.awaitAnswer(number) {
          serve(client, places: Int(board.claim(number).pointee.places), number)
        }
        client.connection.sendRefusal(refusalLine)
        ProcessControl.exitImmediately(status: Outcome.completeStatus)
      }
    }
  }

  /// Writes down a decision, while no other process admits a client.
  ///
  /// - Returns: how many spares are left.
  private func note(_ decision: borrowing Admission.Decision, _ number: Int) -> Int {
    switch decision {
    case .admitted(let reservation):
      let claim = board.claim(number)
      claim.pointee.source = reservation.source
      claim.pointee.places = UInt32(reservation.placesOfSource)
      board.setState(number, Int(BEGAT_SPARE_ADMITTED))
    case .refused:
      // The listener may still admit it, and no other client takes its place meanwhile.
      board.close()
      board.setState(number, Int(BEGAT_SPARE_ASKING))
    }
    return board.addWaiting(-1)
  }

  /// Closes the gate and wakes the listener.
  private func leaveToListener() {
    board.close()
    board.ring()
  }

  /// Serves the client and ends the process: it does not return, so that nothing on this stack is given back.
  private func serve(_ client: borrowing AcceptedClient, places: Int, _ number: Int) {
    let claim = board.claim(number)
    let slot = slots + Int(claim.pointee.slot)
    slot.pointee = begat_slot(
      process: claim.pointee.pid, peer: claim.pointee.peer, user: claim.pointee.user, started: claim.pointee.started)
    let birth = ConnectionProcess.Birth(
      process: connection, connection: client.connection.number, client: client.client, connections: places,
      proxied: nil, slot: slot, errors: nil)
    withUnsafePointer(to: birth) { birth in
      connection._withUnsafeGuaranteedRef { process in
        process.serve(birth) {
          // Nothing of the client was read yet, and nothing is read here.
          board.leave(number)
          // This value and the board lie there too.
          do throws(SystemCallError) { try admission.pointee.unmapInCopy() } catch {
            ProcessControl.exitImmediately(status: Outcome.failedStatus)
          }
        }
      }
    }
  }
}
