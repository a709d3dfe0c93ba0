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
extension Listener {
  func liveAsSpare(_ number: Int) -> Never {
    process.pointee.prepareSpare()
    do throws(SystemCallError) { try spares.memory.closeOthers(of: number) } catch {
      ProcessControl.exitImmediately(status: Outcome.failedStatus)
    }
    let claim = spares.memory.claim(number)
    claim.pointee.pid = getpid()
    spares.memory.awaitOpening()
    // Clients may be waiting already.
    for index in sockets.streams.indices { takeClient(at: index, number) }
    rehearse(slot: Int(claim.pointee.slot))
    while true {
      spares.memory.awaitOpening()
      if let index = spares.memory.awaitClient(number) { takeClient(at: index, number) }
    }
  }

  /// Does what serving a client will do, so that the client does not wait for page faults.
  private func rehearse(slot: Int) {
    guard admission.rehearse(spares.memory.lastSource, now: .now), let number = spares.memory.deadClientNumber else {
      return
    }
    process.pointee.rehearse(Descriptor(owning: number), slot: scoreboard.slot(slot))
    scoreboard.slot(slot).pointee = begat_slot()
  }

  /// Accepts a client and serves it, if one may be accepted; it returns if there is none for this process.
  private func takeClient(at index: Int, _ number: Int) {
    guard spares.memory.isOpen else { return }
    let entry = sockets.streams[index]
    let prefix = admission.limits.sourcePrefix
    let now = Deadline.now
    var accepted: AcceptedClient?
    var waiting = 0
    let answer: Admission.Answer
    do throws(SystemCallError) {
      answer = try admission.admit(now: now) { () throws(SystemCallError) in
        guard spares.memory.isOpen else { throw SystemCallError("accept", code: .wouldBlock) }
        let next = try AcceptedClient(at: entry.socket, prefix: prefix)
        let client = next.client
        spares.memory.note(client, at: next.socket, now, in: number)
        spares.memory.setState(number, BEGAT_SPARE_ACCEPTED)
        accepted = consume next
        return client
      } noting: { decision in
        waiting = note(decision, number)
      }
    } catch {
      if error.code == .connectionAbort { return }
      // Another spare was faster, unless the socket does not listen any more and stays ready forever.
      if error.code == .wouldBlock, !spares.memory.isOpen || entry.socket.isServing { return }
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
        spares.memory.ringIfNeeded(waiting: waiting)
        serve(client, places: places, number)
      case .refused:
        spares.memory.ring()
        if spares.memory.awaitAnswer(number) {
          serve(client, places: Int(spares.memory.claim(number).pointee.places), number)
        }
        sendRefusal(to: client.connection)
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
      let claim = spares.memory.claim(number)
      claim.pointee.source = reservation.source
      claim.pointee.places = UInt32(reservation.placesOfSource)
      spares.memory.setState(number, BEGAT_SPARE_ADMITTED)
    case .refused:
      // The listener may still admit it, and no other client takes its place meanwhile.
      spares.memory.close()
      spares.memory.setState(number, BEGAT_SPARE_ASKING)
    }
    return spares.memory.addWaiting(-1)
  }

  /// Closes the gate and wakes the listener.
  private func leaveToListener() {
    spares.memory.close()
    spares.memory.ring()
  }

  /// Serves the client and ends the process: it does not return, so that nothing on this stack is given back.
  private func serve(_ client: borrowing AcceptedClient, places: Int, _ number: Int) {
    let claim = spares.memory.claim(number)
    let slot = scoreboard.slot(Int(claim.pointee.slot))
    slot.pointee = begat_slot(
      process: claim.pointee.pid, peer: claim.pointee.peer, user: claim.pointee.user, started: claim.pointee.started)
    let birth = ConnectionProcess.Birth(
      process: process, connection: client.connection.number, client: client.client, connections: places, proxied: nil,
      slot: slot, errors: nil)
    withUnsafePointer(to: birth) { birth in
      process.pointee.serve(birth) {
        // Nothing of the client was read yet, and nothing is read here.
        spares.memory.leave(number)
        do throws(SystemCallError) {
          try admission.unmapInCopy()
          try spares.memory.unmapInCopy()
        } catch { ProcessControl.exitImmediately(status: Outcome.failedStatus) }
      }
    }
  }
}
