import Foundation
import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// The service manager's end of the notification protocol, which always reads, as a manager does.
///
/// Source: sd_notify(3).
final class FakeManager {
  private let socket: Descriptor
  private let mailbox = Mailbox()
  let path: String

  init(in directory: TemporaryDirectory) throws {
    path = directory.path("notify")
    let bound = try UnixSocketFile.bind(at: path, kind: .datagram, access: UnixSocketFile.Access())
    socket = bound.socket
    let number = try socket.duplicate().release()
    Thread.detachNewThread { [mailbox] in
      let socket = Descriptor(owning: number)
      var room = [UInt8](repeating: 0, count: 4096)
      while let count = try? room.withUnsafeMutableBytes({ try socket.receive(into: $0) }), count > 0 {
        let text = String(decoding: room[..<count], as: UTF8.self)
        mailbox.put(text.split(separator: "\n").map(String.init))
      }
    }
  }

  /// Ends the thread's reading.
  deinit { shutdown(socket.number, CInt(SHUT_RD)) }

  var variable: String { "NOTIFY_SOCKET=\(path)" }

  /// Takes messages, as lists of lines, up to the first with a line that begins so.
  ///
  /// - Returns: those taken, that one last.
  func take(until line: String, within limit: Duration = .seconds(10)) throws -> [[String]] {
    var messages: [[String]] = []
    let end = Date(timeIntervalSinceNow: Double(limit.milliseconds) / 1000)
    while let message = mailbox.take(before: end) {
      messages.append(message)
      if message.contains(where: { $0.hasPrefix(line) }) { return messages }
    }
    throw HarnessFailure("no notification \(line) within \(limit), only \(messages)")
  }

  private final class Mailbox: @unchecked Sendable {
    private let condition = NSCondition()
    private var messages: [[String]] = []

    func put(_ message: [String]) {
      condition.lock()
      messages.append(message)
      condition.broadcast()
      condition.unlock()
    }

    /// The oldest message, waited for; nil after the time.
    func take(before end: Date) -> [String]? {
      condition.lock()
      defer { condition.unlock() }
      while messages.isEmpty { if !condition.wait(until: end) { break } }
      return messages.isEmpty ? nil : messages.removeFirst()
    }
  }
}
