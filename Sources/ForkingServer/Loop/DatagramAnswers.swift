import NetworkServices
import UnixIPC

/// Answers datagrams in the listener itself: there is nothing to wait for.
final class DatagramAnswers {
  /// How many questions are answered before connections are looked at again.
  private static let questionsPerTurn = 64

  private let service: any DatagramService
  private let memory: MemoryMapping

  init(_ service: any DatagramService) throws(CallFailure) {
    self.service = service
    memory = try MemoryMapping.keptFromChildren(size: 2 * 65_536)
  }

  /// Answers what has arrived at the socket; returns how many answers were sent.
  func answer(on socket: borrowing DatagramSocket) -> Int {
    let question = UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<65_536])
    let room = UnsafeMutableRawBufferPointer(rebasing: memory.bytes[65_536..<(65_536 + largestDatagram)])
    var sender = DatagramSocket.Sender()
    var answered = 0
    for _ in 0..<DatagramAnswers.questionsPerTurn {
      do throws(Errno) {
        let length = try socket.receive(into: question, from: &sender)
        guard DatagramAnswers.mayBeAnswered(sender.address) else { continue }
        let bytes = UnsafeRawBufferPointer(rebasing: question[..<length])
        guard let count = service.answer(bytes, into: room) else { continue }
        try socket.send(UnsafeRawBufferPointer(rebasing: room[..<count]), to: &sender)
        answered += 1
      } catch {
        if error == .wouldBlock { break }
        // An ICMP answer to an earlier datagram, or no room to send: the asker may ask again.
      }
    }
    return answered
  }

  /// A reserved port is a server's: two of them answering each other would never end (CVE-1999-0103).
  static func mayBeAnswered(_ sender: SocketAddress?) -> Bool {
    switch sender {
    case .ipv4(_, let port), .ipv6(_, let port, _): port >= 1024
    case .unixPath, .unixAbstract: true
    case .unixUnnamed, nil: false
    }
  }
}

extension Listener {
  mutating func answerDatagrams(_ ready: UInt64) {
    guard drain == nil, let datagramAnswers else { return }
    for (index, entry) in sockets.datagrams.enumerated() where ready & (1 << UInt64(index & 63)) != 0 {
      let answered = datagramAnswers.answer(on: entry.socket)
      scoreboard.header.pointee.datagrams_answered &+= UInt64(answered)
    }
  }
}
