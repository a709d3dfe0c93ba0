import Admission
import CSharedLayouts
import NetworkServices
@_spi(Begat) import UnixCore

/// Answers datagrams in the listener itself: there is nothing to wait for.
final class DatagramAnswers {
  /// How many batches of questions are answered before connections are looked at again.
  private static let batchesPerTurn = 2

  private let service: any DatagramService
  private var exchange: DatagramExchange
  /// Separate from that of connections: forged senders of datagrams must not use up the limits of other clients.
  private let admission: Admission
  private let ownPorts: Set<UInt16>

  /// - Parameter ownPorts: where datagram services of ours answer: two of them talking to each other would never end.
  init(
    _ service: any DatagramService, admission: consuming Admission, ownPorts: [UInt16]
  ) throws(SystemCallError) {
    self.service = service
    self.ownPorts = Set(ownPorts)
    self.admission = admission
    exchange = try DatagramExchange(largestAnswer: largestDatagram)
  }

  /// Continues the book of a former listener.
  func begin(clearing columns: AdmissionColumns) { admission.begin(clearing: columns) }

  func clear(_ columns: AdmissionColumns) { admission.clear(columns) }

  /// Answers the datagrams that have arrived at the socket.  Those that are not answered are discarded.
  ///
  /// - Parameter isLast: whether the socket is closed if no more have arrived, so that this is asked of the kernel.
  /// - Parameter counters: the scoreboard whose counters of datagrams are updated.
  /// - Parameter refused: is called for each sender that a limit or a rule refuses.
  /// - Parameter unsendable: is called for each answer that the kernel does not take.
  /// - Returns: false if more may have arrived than one turn answers.
  @discardableResult
  func answer(
    on socket: borrowing DatagramSocket, isLast: Bool = false, counters: UnsafeMutablePointer<begat_scoreboard>,
    refused: (Refusal, Client) -> Void, unsendable: (ErrorCode, SocketAddress?) -> Void = { _, _ in }
  ) -> Bool {
    for _ in 0..<DatagramAnswers.batchesPerTurn {
      do throws(SystemCallError) {
        let count = try exchange.receive(on: socket)
        let now = Deadline.now
        for index in 0..<count {
          if exchange.isFull { send(on: socket, counters, unsendable) }
          let address = exchange.sender(of: index)
          guard !exchange.wasBroadcast(index), mayBeAnswered(address) else {
            counters.pointee.datagrams_ignored &+= 1
            continue
          }
          let client = Client(address: address, prefix: admission.limits.sourcePrefix)
          if let refusal = admission.refusalOfEvent(from: client, now: now) {
            begat_datagrams_refused(counters, UInt32(refusal.rawValue)).pointee &+= 1
            refused(refusal, client)
            continue
          }
          exchange.answer(index) { question, room in service.answer(question, into: room) }
        }
        send(on: socket, counters, unsendable)
        if count < DatagramExchange.capacity, !isLast { return true }
      } catch {
        if error.code == .wouldBlock { return true }
      }
    }
    return false
  }

  private func send(
    on socket: borrowing DatagramSocket, _ counters: UnsafeMutablePointer<begat_scoreboard>,
    _ unsendable: (ErrorCode, SocketAddress?) -> Void
  ) {
    var failures: [(index: Int, code: ErrorCode)] = []
    let sent = exchange.send(on: socket) { index, code in
      // An ICMP answer to an earlier datagram, or no room to send: the client may ask again.
      if code != ErrorCode.connectionRefused, code != ErrorCode.wouldBlock { failures.append((index, code)) }
    }
    counters.pointee.datagrams_answered &+= UInt64(sent)
    for (index, code) in failures { unsendable(code, exchange.sender(of: index)) }
  }

  /// A reserved port is a server's, and so is one of ours: two servers answering each other would never end
  /// (CVE-1999-0103).  Many hosts at once are never answered.
  func mayBeAnswered(_ sender: SocketAddress?) -> Bool {
    switch sender {
    case .ipv4(let host, let port):
      port >= 1024 && !ownPorts.contains(port) && !DatagramAnswers.nobody.contains { $0.contains(host) }
    case .ipv6(let host, let port, _):
      port >= 1024 && !ownPorts.contains(port) && !DatagramAnswers.nobody.contains { $0.contains(host) }
    case .unixPath, .unixAbstract: true
    case .unixUnnamed, nil: false
    }
  }

  /// Multicast, broadcast, unspecified.
  private static let nobody = [
    IPNetwork(IPv4Address(rawValue: 0), prefixLength: 8),
    IPNetwork(IPv4Address(rawValue: 0xe000_0000), prefixLength: 4),
    IPNetwork(IPv4Address(rawValue: 0xffff_ffff)), IPNetwork(IPv6Address.any),
    IPNetwork(IPv6Address(high: 0xff00_0000_0000_0000, low: 0), prefixLength: 8),
  ]
}

extension Listener {
  mutating func answerDatagrams(_ ready: UInt64) {
    for (index, entry) in sockets.datagrams.enumerated() where ready & (1 << UInt64(index & 63)) != 0 {
      _ = answerSome(at: entry)
    }
  }

  /// - Returns: false if more may have arrived than one turn answers.
  mutating func answerSome(at entry: AnsweringSocket) -> Bool {
    guard let datagramAnswers else { return true }
    var lines: [String] = []
    let isEmpty = datagramAnswers.answer(
      on: entry.socket, isLast: entry.isClosing, counters: scoreboard.header,
      refused: { refusal, sender in
        if let line = refusals.refusedDatagram(refusal, sender, now: .now) { lines.append(line) }
      },
      unsendable: { error, client in
        if let line = refusals.unsendable(error, to: client, now: .now) { lines.append(line) }
      })
    for line in lines { say(line) }
    // The next turn waits for clients first, as after a connection.
    isBusy = true
    return isEmpty
  }
}
