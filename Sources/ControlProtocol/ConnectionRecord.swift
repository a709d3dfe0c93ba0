import CSharedLayouts
import Settings
@_spi(Begat) import UnixCore

/// One connection that has ended, or has begun: who, how long, how much, and how it ended.
public struct ConnectionRecord: Hashable, Sendable {
  /// The event that a record is about.
  public enum Event: UInt8, Sendable {
    case ended
    case opened
  }

  public var event = Event.ended
  public var process: Int32
  /// Nil where the peer could not be told, and where `addressForm` leaves it out.
  public var peer: SocketAddress?
  /// The user at the other end of a Unix socket.
  public var user: UInt32?
  /// The proxy that has named the peer; nil if the peer connected directly, or if `addressForm` leaves addresses out.
  public var via: SocketAddress?
  /// How much of the addresses is there.
  public var addressForm = LogAddress.full
  /// The number that the listening socket has in the listener; -1 if it is not known.
  public var socket: Int32 = -1
  public var duration: Duration
  /// Bytes; nil where a program had the connection to itself.
  public var received: UInt64?
  public var sent: UInt64?
  public var outcome: Outcome
  public var ender = Ender.service

  /// In a record of fixed size: not known.
  public static let unknownCount = UInt64.max

  public init(
    process: Int32, peer: SocketAddress?, user: UInt32? = nil, duration: Duration, received: UInt64?, sent: UInt64?,
    outcome: Outcome
  ) {
    self.process = process
    self.peer = peer
    self.user = user
    self.duration = duration
    self.received = received
    self.sent = sent
    self.outcome = outcome
  }

  /// Whether an administrator should look at it: not at what an administrator has ordered.
  public var isProblem: Bool { ConnectionRecord.isProblem(outcome, ender) }

  /// Whether a connection with this end is a problem.
  public static func isProblem(_ outcome: Outcome, _ ender: Ender) -> Bool {
    outcome.isProblem && ender != .administrator
  }

  /// In microseconds.
  public var microseconds: UInt64 {
    let (seconds, attoseconds) = duration.components
    return UInt64(max(0, seconds)) * 1_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000_000
  }
}

extension ConnectionRecord: CustomStringConvertible {
  /// The log line: `pid 4711 for 192.0.2.7:51312: 3 ms, received 0, sent 26 bytes, complete`.
  public var description: String { text { write(to: &$0) } }

  /// The beginning of every line about the connection: `pid 4711 for 192.0.2.7:51312: `.
  public var head: String { text { writeHead(to: &$0) } }

  private func text(_ write: (inout ByteWriter) -> Void) -> String {
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
      var text = ByteWriter(room)
      write(&text)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  /// Appends what `description` says, without allocating for most records: there may be thousands a second.
  ///
  /// - Parameter local: the listening socket's address, which is shown for a Unix socket.
  package func write(to text: inout ByteWriter, at local: String? = nil) {
    writeHead(to: &text, at: local)
    guard event == .ended else { return text.append("opened") }
    writeDuration(to: &text)
    if let received, let sent {
      text.append(", received ")
      text.append(decimal: received)
      text.append(", sent ")
      text.append(decimal: sent)
      text.append(sent == 1 ? " byte" as StaticString : " bytes")
    }
    text.append(", ")
    writeEnd(to: &text)
  }

  /// Appends `pid 4711 for 192.0.2.7:51312: `, with which every line about a connection begins; behind a proxy
  /// `pid 4711 for 192.0.2.7:51312 via 10.0.0.2:40000: `.
  package func writeHead(to text: inout ByteWriter, at local: String? = nil) {
    text.append("pid ")
    text.append(decimal: UInt64(process.magnitude))
    text.append(" for ")
    PeerText(addressForm).write(peer, user: user, at: local, to: &text)
    if let via {
      text.append(" via ")
      PeerText(addressForm).write(via, at: local, to: &text)
    }
    text.append(": ")
  }

  private func writeEnd(to text: inout ByteWriter) {
    if outcome == .complete { text.append("complete") } else { text.append(outcome.description) }
    switch ender {
    case .administrator: text.append(", ordered by the administrator")
    case .drain: if case .stopped = outcome {} else { text.append(", at the stop") }
    case .limit where outcome != .maxDuration && outcome != .idleTimeout && outcome != .firstByteTimeout:
      text.append(", at a time limit")
    case .service, .client, .limit, .crash, .signal: break
    }
  }

  private func writeDuration(to text: inout ByteWriter) {
    let milliseconds = microseconds / 1000
    text.append(decimal: milliseconds < 10_000 ? milliseconds : milliseconds / 1000)
    text.append(milliseconds < 10_000 ? " ms" as StaticString : " s")
  }
}

extension ConnectionRecord {
  /// Nil for a record that no listener of this version makes.
  public init?(_ native: begat_record) {
    guard let outcome = Outcome(outcome: native.outcome, detail: native.detail),
      let event = Event(rawValue: native.event), let ender = Ender(rawValue: native.ender),
      let form = LogAddress(number: native.address_form)
    else { return nil }
    self.init(
      process: native.pid, peer: form == .none ? nil : PeerFields(native).address,
      user: native.family == PeerFields.unix && form == .full ? native.uid : nil,
      duration: .nanoseconds(native.duration), received: ConnectionRecord.count(native.bytes_received),
      sent: ConnectionRecord.count(native.bytes_sent),
      outcome: outcome)
    self.event = event
    self.ender = ender
    via = form == .none ? nil : PeerFields(viaOf: native).address
    addressForm = form
    socket = native.socket
  }

  private static func count(_ native: UInt64) -> UInt64? { native == unknownCount ? nil : native }
}
