import Glibc
@_spi(Begat) import UnixCore

/// A socket that a test holds as begatd does: bound once, and given to listeners.
final class TestSocket {
  private var held: Descriptor?
  let number: CInt
  /// With the port that the kernel chose.
  let address: String
  private let path: String?
  private let directory: TemporaryDirectory
  private let isDatagram: Bool

  /// - Parameter address: `/` and `@` stand for a name of the test's own.
  init(_ address: String, in directory: TemporaryDirectory, isDatagram: Bool = false) throws {
    let path = address == "/" ? directory.path("socket") : nil
    let text = path ?? (address == "@" ? "@\(directory.path)" : address)
    guard let target = SocketAddress(text) else { throw HarnessFailure("no address: \(text)") }
    let descriptor =
      isDatagram ? try DatagramSocket(target).release() : try ListeningSocket(target, backlog: 4096).release()
    self.path = path
    self.directory = directory
    self.isDatagram = isDatagram
    self.address = target.isUnix ? text : try descriptor.localAddress().address?.description ?? "?"
    number = descriptor.number
    held = consume descriptor
  }

  /// Closes the test's copy: listeners keep theirs.
  func close() { held = nil }

  func setOption(_ level: CInt, _ option: CInt, _ value: CInt) throws {
    try Descriptor.withBorrowed(number) { try $0.setOption(level, option, value) }
  }

  /// Gives it up as begatd does: whoever is there is served, but nobody else.
  func refuseNewClients() throws {
    if let path { unlink(path) }
    try Descriptor.withBorrowed(number) { try $0.refuseNewClients() }
  }
  /// Whether another server may have the address now.
  var isFree: Bool {
    guard let target = SocketAddress(address) else { return false }
    return isDatagram ? (try? DatagramSocket(target)) != nil : (try? ListeningSocket(target, backlog: 1)) != nil
  }
}
