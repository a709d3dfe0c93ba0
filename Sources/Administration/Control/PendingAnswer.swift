import Control
@_spi(Begat) import UnixCore

/// An answer of begatd's that has not come yet.
///
/// It is for a process that waits for other things meanwhile; `ControlClient.ask` waits for an answer alone.
final class PendingAnswer {
  let request: ControlRequest
  /// When begatd has taken too long.
  let deadline = Deadline(after: ControlClient.patience)
  private let socket: Descriptor
  private let path: String
  private var line: [UInt8] = []

  private static let piece = 1 << 18

  init(to request: ControlRequest, from socket: consuming Descriptor, at path: String) {
    self.request = request
    self.socket = socket
    self.path = path
  }

  /// Readable when there is more of the answer.
  var descriptor: CInt { socket.number }

  /// Takes what has come; nil until the answer is complete.
  func take() throws(ControlClientError) -> ControlAnswer? {
    do throws(SystemCallError) {
      while line.last != UInt8(ascii: "\n") {
        let count = try receive()
        if count == 0 { throw SystemCallError("read", on: path, code: .connectionReset) }
        if line.count > ControlLanguage.maxAnswerLength {
          throw SystemCallError("read", on: path, code: .messageTooLong)
        }
      }
    } catch {
      if error.code == .wouldBlock, !deadline.hasPassed { return nil }
      let isLate = error.code == .wouldBlock
      throw ControlClient.broken(
        isLate ? SystemCallError("read", on: path, code: .timedOut) : error, path, within: ControlClient.patience)
    }
    line.removeLast()
    do throws(AnswerError) { return try ControlAnswer(line: line, to: request.name) } catch {
      throw ControlClient.unreadable(error, path)
    }
  }

  private func receive() throws(SystemCallError) -> Int {
    let before = line.count
    line.reserveCapacity(before + PendingAnswer.piece)
    return try withUnsafeTemporaryAllocation(byteCount: PendingAnswer.piece, alignment: 1) {
      (room) throws(SystemCallError) -> Int in
      let count = try socket.receive(into: room, waiting: false)
      line += room[..<count]
      return count
    }
  }
}
