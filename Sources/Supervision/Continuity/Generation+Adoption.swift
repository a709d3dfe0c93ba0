import ControlProtocol
import Glibc
@_spi(Begat) import UnixCore

/// Listeners that a former begatd has started.
extension Generation {
  /// Takes over a listener from the descriptors that belong to it.
  ///
  /// With its first channel it goes on as it was, and is a child of this process, which has executed another program.
  /// Without, its begatd has ended: it drains by itself, and talks on over its second channel.
  ///
  /// - Parameter nameRequests: where its connection processes ask for names; nil if they do not.
  /// - Returns: nil for a listener that cannot be reached, or whose scoreboard is missing.
  static func adopt(
    _ saved: SavedState.Generation, of savedService: SavedState.Service, from kept: KeptDescriptors,
    boardNumber: UInt32,
    nameRequests: SharedFile? = nil
  ) -> Generation? {
    let service = savedService.name
    let first = kept.take(.firstChannel(service: service, generation: saved.number))
    let keptChannel = kept.takeShared(.channel(service: service, generation: saved.number))
    guard let boardFile = kept.takeShared(.board(service: service, generation: saved.number)),
      let board = try? ScoreboardReader(boardFile.descriptor, slotCount: saved.slotCount)
    else { return nil }
    let isChild: Bool
    let channel: Descriptor
    var handle: ProcessHandle?
    switch consume first {
    case .some(let first):
      isChild = true
      channel = first
    case nil:
      guard let keptChannel, let own = try? keptChannel.descriptor.duplicate() else { return nil }
      isChild = false
      handle = try? ProcessHandle(saved.process)
      // While the channel is open its process lives, and no other one can have had its number meanwhile.
      if own.hasHungUp || board.isReadable && board.listener != saved.process { handle = nil }
      channel = own
    }
    let source = RecordSource(
      service: service, sockets: Dictionary(saved.sockets.map { ($0.number, $0.address) }) { $1 })
    let generation = Generation(
      adopting: saved, channel: channel, keptChannel: keptChannel, isChild: isChild, handle: handle,
      nameRequests: nameRequests, board: board, boardFile: boardFile, boardNumber: boardNumber, source: source)
    generation.isBoardSealed = (try? MemoryFile.makeReadOnly(boardFile.descriptor)) != nil
    if isChild {
      generation.state = saved.state
      generation.recordsReceived = saved.recordsReceived ?? generation.recordsHandedOver
    } else {
      // It may have told a former begatd that its sockets are closed.
      generation.state = board.isRetired ? .retired : .retiring
      generation.readySince = saved.readySince ?? saved.startTime
      // A program that accepts clients itself may need the whole time of the drain, which its listener keeps.
      if generation.state == .retiring, !savedService.waits {
        generation.retirementDeadline = SystemClock.monotonic() + retirementPatience
      }
      // Nothing counts what was on its way to the former begatd.
      generation.recordsReceived = generation.recordsHandedOver
    }
    return generation
  }

  /// How long a listener that was left behind may take to close its sockets.
  private static let retirementPatience: Int64 = 5_000_000_000

  /// Records that it has sent to any begatd.
  private var recordsHandedOver: UInt64 {
    let counters = board.counters
    return counters.records >= counters.recordsDropped ? counters.records - counters.recordsDropped : 0
  }

  /// The state that the next begatd needs.
  var saved: SavedState.Generation {
    SavedState.Generation(
      number: number, process: process, column: column, slotCount: board.slotCount, state: state, startTime: startTime,
      readySince: readySince, recordsReceived: recordsReceived, showsState: showsState,
      sockets: source.sockets.map { SavedState.SocketName(number: $0, address: $1) }.sorted { $0.number < $1.number })
  }
}
