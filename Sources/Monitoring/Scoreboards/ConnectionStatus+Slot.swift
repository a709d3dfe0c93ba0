import CSharedLayouts
import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// The circumstances of connections that stand in one scoreboard.
public struct ScoreboardPlace {
  public var service: String
  /// As in the ids of connections.
  public var generation: UInt64
  public var listener: Int32
  /// The service's one Unix socket, which its clients came through.
  public var unixAddress: SocketAddress?

  public init(service: String, generation: UInt64, listener: Int32, unixAddress: SocketAddress? = nil) {
    self.service = service
    self.generation = generation
    self.listener = listener
    self.unixAddress = unixAddress
  }
}

extension ConnectionReport {
  /// Adds the open connections of a scoreboard, until the report has as many as it may.
  ///
  /// As much of clients' addresses is shown as the listener was told (`log-address`), whichever program reads it.
  ///
  /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
  /// - Parameter name: returns the name of a host, where it is known.
  public mutating func add(
    _ board: ScoreboardReader, at place: ScoreboardPlace, atMost limit: Int, now: Int64,
    name: (SocketAddress) -> String? = { _ in nil }
  ) {
    let form = board.addressForm
    for index in 0..<board.slotCount {
      let slot = board.slot(index)
      guard slot.pid > 0 else { continue }
      if connections.count < limit {
        connections.append(ConnectionStatus(slot, index, at: place, form, now: now, name: name))
      } else {
        omitted += 1
      }
    }
  }
}

extension ConnectionStatus {
  /// A slot is written by its own connection process: nothing in it is believed, and any value can be shown.
  fileprivate init(
    _ slot: begat_slot, _ index: Int, at place: ScoreboardPlace, _ form: LogAddress, now: Int64,
    name: (SocketAddress) -> String?
  ) {
    self.init(
      id: ConnectionID(
        service: place.service, generation: place.generation, slot: index, started: max(0, slot.started)),
      process: slot.pid, listener: place.listener, age: .nanoseconds(max(0, now - max(0, min(slot.started, now)))))
    if slot.family == PeerFields.unix {
      // The path is the service's, not the client's.
      if form == .full { user = slot.uid }
      peer = place.unixAddress?.description
    } else if let address = PeerFields(slot).address, form != .none {
      peer = PeerText(form).text(address)
      if form == .full { self.name = name(address) }
    }
    if let proxy = PeerFields(viaOf: slot).address, form != .none {
      via = proxy.isUnix ? place.unixAddress?.description ?? "unix" : PeerText(form).text(proxy)
    }
    if slot.bytes_received != ConnectionRecord.unknownCount { received = slot.bytes_received }
    if slot.bytes_sent != ConnectionRecord.unknownCount { sent = slot.bytes_sent }
    waiting = Waiting(number: slot.waiting)
  }
}
