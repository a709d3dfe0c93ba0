import CSharedLayouts
@_spi(Begat) import UnixCore

/// A message of begatd to a listener, or to the resolver of names.  Another process that wants to end one sends SIGTERM.
public enum SupervisorMessage: Hashable, Sendable {
  /// Answered immediately while the listener's loop turns.
  case question(UInt32)
  /// No other listener of the service admits clients any more: from now on this one does.
  ///
  /// The columns of the admission book in this set of bits belong to listeners that are dead; they are cleared first, and
  /// so is the listener's own.
  case begin(clearing: UInt8)
  /// The columns in this set of bits belong to listeners that have died since.
  case clear(UInt8)
  /// The listener accepts no more, and ends with its last connection.  Another retirement changes the time that is left;
  /// one that closes no sockets leaves no time to those that are still being emptied.
  case retire(Retirement)
  case end(EndOrder)
  /// For services that show begatd's state: the page of begatd's state is passed with it.
  case state
  /// For services that show begatd's state: the scoreboard of this number is passed with it.
  case board(UInt32)
  /// For services that show begatd's state: it names the scoreboard of this number no more.
  case dropBoard(UInt32)
  /// For the resolver of names: the socket at which the connection processes of a listener ask is passed with it.
  case nameRequests
}

/// How a listener stops accepting.
public struct Retirement: Hashable, Sendable {
  /// Whether the sockets have no successor: the clients that wait at them are accepted first.  The sender has made the
  /// sockets refuse new clients before (`Descriptor.refuseNewClients`).
  public var closesSockets: Bool
  /// How long open connections may go on; sent in milliseconds.
  public var drainTimeout: Duration
  /// Whether open connections are ended now, within a second, as by a second stop signal.
  public var hurries: Bool
  /// Whether programs that have the listening sockets, and all that they have started in their groups, end within a
  /// second: begatd stops, and the next one is to find the addresses free.
  public var endsPrograms: Bool

  public init(closesSockets: Bool, drainTimeout: Duration, hurries: Bool = false, endsPrograms: Bool = false) {
    self.endsPrograms = endsPrograms
    self.closesSockets = closesSockets
    self.drainTimeout = drainTimeout
    self.hurries = hurries
  }

  /// Ends the listener and its connections.
  public static let hurried = Retirement(closesSockets: false, drainTimeout: .zero, hurries: true)
}

extension Retirement {
  /// A year: no drain takes longer, and its end is a number that clocks can have.
  private static let longestTimeout: UInt64 = 366 * 86_400_000
  private static let connectionBit: UInt32 = 1
  private static let programBit: UInt32 = 2

  init(_ native: begat_retirement) {
    closesSockets = native.closes_sockets != 0
    drainTimeout = .milliseconds(Int64(min(native.drain_milliseconds, Self.longestTimeout)))
    hurries = native.hurries & Self.connectionBit != 0
    endsPrograms = native.hurries & Self.programBit != 0
  }

  var native: begat_retirement {
    let milliseconds = max(0, drainTimeout.nanoseconds / 1_000_000)
    return begat_retirement(
      drain_milliseconds: min(UInt64(milliseconds), Self.longestTimeout), closes_sockets: closesSockets ? 1 : 0,
      hurries: (hurries ? Self.connectionBit : 0) | (endsPrograms ? Self.programBit : 0))
  }
}

/// begatd's side of the channel.
extension ListenerChannel {
  /// Nil for bytes that are no message.
  public static func supervisorMessage(_ bytes: UnsafeRawBufferPointer) -> SupervisorMessage? {
    guard let (kind, value) = readHeader(bytes) else { return nil }
    switch kind {
    case .question: return .question(value)
    case .begin: return UInt8(exactly: value).map { .begin(clearing: $0) }
    case .clear: return UInt8(exactly: value).map { .clear($0) }
    case .retire: return body(of: bytes, as: begat_retirement.self).map { .retire(Retirement($0)) }
    case .end:
      guard let native = body(of: bytes, as: begat_end_order.self) else { return nil }
      return EndOrder.Selection(native).map { .end(EndOrder(number: value, $0)) }
    case .state: return .state
    case .board: return .board(value)
    case .dropBoard: return .dropBoard(value)
    case .nameRequests: return .nameRequests
    case .ready, .alive, .connections, .log, .program, .retired, .ended: return nil
    }
  }

  /// Sends without waiting; a full channel throws `EAGAIN`.
  ///
  /// - Parameter file: is passed with the messages that say so.
  public static func send(
    _ message: SupervisorMessage, passing file: SharedFile? = nil, on channel: borrowing Descriptor
  ) throws(SystemCallError) {
    switch message {
    case .state: if let file { try sendHeader(.state, value: 0, passing: file, on: channel) }
    case .board(let number): if let file { try sendHeader(.board, value: number, passing: file, on: channel) }
    case .nameRequests: if let file { try sendHeader(.nameRequests, value: 0, passing: file, on: channel) }
    case .dropBoard(let number): try sendHeader(.dropBoard, value: number, on: channel)
    case .question(let number): try sendHeader(.question, value: number, on: channel)
    case .begin(let columns): try sendHeader(.begin, value: UInt32(columns), on: channel)
    case .clear(let columns): try sendHeader(.clear, value: UInt32(columns), on: channel)
    case .retire(let retirement): try send(.retire, value: 0, body: retirement.native, on: channel)
    case .end(let order): try send(.end, value: order.number, body: order.selection.native, on: channel)
    }
  }
}
