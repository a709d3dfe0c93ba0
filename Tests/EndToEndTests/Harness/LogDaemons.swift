import Foundation
import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// The journal's socket and syslog's, with readers of the test's own, where a begatd in a mount namespace of its own finds
/// them.
///
/// Source: mount_namespaces(7); systemd.journal-fields(7), Native Journal Protocol of systemd.
final class LogDaemons {
  private let directory: TemporaryDirectory
  private let received = Received()
  private var sockets: [CInt] = []

  /// - Parameter hasSyslog: whether there is one.
  init(in directory: TemporaryDirectory, hasSyslog: Bool = true) throws {
    self.directory = directory
    for name in ["journal", "dev"] { try directory.make(name) }
    try listen(at: "journal/socket")
    if hasSyslog { try listen(at: "log") }
  }

  private func listen(at name: String) throws {
    let bound = try UnixSocketFile.bind(
      at: directory.path(name), kind: .datagram, access: UnixSocketFile.Access(mode: 0o666))
    let number = bound.socket.release()
    sockets.append(number)
    Thread.detachNewThread { [received] in
      Descriptor.withBorrowed(number) { socket in
        var room = [UInt8](repeating: 0, count: 65_536)
        while let count = try? room.withUnsafeMutableBytes({ try socket.receive(into: $0) }), count > 0 {
          received.add(String(decoding: room[..<count], as: UTF8.self))
        }
      }
    }
  }

  /// Ends the threads' reading.
  deinit { for number in sockets { shutdown(number, CInt(SHUT_RD)) } }

  /// A command that executes the command line given to it where the sockets are.
  func wrapper() throws -> [String] {
    let script = """
      mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind '\(directory.path("journal"))' /run/systemd/journal
      new='\(directory.path("dev"))'
      mount -t tmpfs none "$new" && mkdir "$new/pts" && mount --bind /dev/pts "$new/pts" && ln -s pts/ptmx "$new/ptmx" && ln -s /proc/self/fd "$new/fd"
      for node in null zero full random urandom tty; do : > "$new/$node" && mount --bind "/dev/$node" "$new/$node"; done
      ln -s '\(directory.path("log"))' "$new/log" && mount --rbind "$new" /dev && exec "$0" "$@"
      """
    return [try Programs.tool("unshare"), "--mount", "/bin/sh", "-c", script]
  }

  /// All messages so far.
  var messages: [String] { received.all }

  /// Waits for a message that contains a text.
  @discardableResult
  func await(_ text: String, within limit: Duration = .seconds(10)) throws -> String {
    var found: String?
    _ = eventually(within: limit) {
      found = received.all.first { $0.contains(text) }
      return found != nil
    }
    guard let found else { throw HarnessFailure("no message with “\(text)” in:\n\(messages.joined(separator: "\n"))") }
    return found
  }

  /// Messages, from the threads that read them.
  private final class Received: @unchecked Sendable {
    private let lock = NSLock()
    private var messages: [String] = []

    func add(_ message: String) { lock.withLock { messages.append(message) } }
    var all: [String] { lock.withLock { messages } }
  }
}
