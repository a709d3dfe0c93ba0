import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
import UnixIPC

/// The life of one connection, in a process of its own that was just forked.
struct ConnectionProcess {
  let service: any NetworkService
  let limits: TimeLimits
  let names: NameClient?
  /// What `ps` shows before the peer's address.
  let title: String
  let listener: pid_t

  /// Serves the client and ends the process.
  ///
  /// Reads no option and no file: all that was done before the fork.
  func serve(
    _ socket: consuming Descriptor, peer: borrowing NativeAddress, slot: UnsafeMutablePointer<begat_slot>,
    processTitle: borrowing ProcessTitle?
  ) -> Never {
    // When the listener dies, so does this; it may have died already.
    guard let follows = try? ProcessControl.followParent(listener, with: .kill), follows else { endProcess(status: 1) }
    closeOthers(than: socket.number)
    // A terminal's interrupt is for the listener, which lets its connections end.
    SignalSet(.interrupt, .hangUp).becomeMask()

    let address = peer.address
    show(address, in: processTitle)
    let tally = Tally(slot)
    var connection = Connection(
      socket: socket, peer: Peer(address: address, names: names), limits: limits, tally: tally)
    endProcess(status: serve(&connection))
  }

  /// Serves and finishes; returns the status that tells the listener how it went.
  func serve(_ connection: inout Connection) -> CInt {
    do throws(ConnectionFailure) {
      try service.serve(&connection)
      connection.finish()
      return Outcome.completeStatus
    } catch {
      guard case .call(let errno) = error else { return Outcome.clientClosedStatus }
      try? StandardError.writeAtOnce("\(title): connection: \(errno)\n")
      return Outcome.failedStatus
    }
  }

  /// The listener's descriptors are no business of a client's: all but 0, 1, 2 and what is needed here.
  private func closeOthers(than socket: CInt) {
    let kept = [socket, names?.socketNumber ?? socket]
    let low = min(kept[0], kept[1])
    let high = max(kept[0], kept[1])
    let isClosed: Void? = try? {
      try DescriptorRange.close(from: 3, through: low - 1)
      try DescriptorRange.close(from: low + 1, through: high - 1)
      try DescriptorRange.close(from: high + 1)
    }()
    if isClosed == nil { endProcess(status: Outcome.failedStatus) }
  }

  private func show(_ address: SocketAddress?, in processTitle: borrowing ProcessTitle?) {
    switch processTitle {
    case .some(let processTitle):
      withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
        var text = ByteWriter(room)
        text.append(title)
        text.append(" ")
        text.append(address?.description ?? "unknown")
        processTitle.show(text.bytes)
      }
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
