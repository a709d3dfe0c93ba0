import Glibc
import UnixIPC

/// Where what a program writes goes: standard output and, if there is one, a log.
///
/// A reader that takes nothing makes the program wait, until somebody cancels that.
final class ShownOutput: @unchecked Sendable {
  // Used by one thread.  A conversation, which sees it, can be handed to another one.
  static let name = "standard output"

  /// Whether it goes to standard output just now.
  var isShowing: Bool
  private let output: PatientOutput
  private let log: Descriptor?
  private let logPath: String
  private let cancellation: CInt

  /// - Parameter log: a file that is made or emptied.
  /// - Parameter cancellation: readable when waiting for a reader is to end; it stays the caller's.
  init(isShowing: Bool, log path: String?, cancellation: borrowing Descriptor) throws(CallFailure) {
    self.isShowing = isShowing
    self.cancellation = cancellation.number
    output = try PatientOutput(for: .output)
    logPath = path ?? ""
    switch path {
    case .some(let path): log = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC)
    case nil: log = nil
    }
  }

  /// Takes what came from the program.
  func take(_ bytes: UnsafeRawBufferPointer) throws(CallFailure) {
    try writeLog(bytes)
    if isShowing { try show(bytes) }
  }

  /// Shows it in any case, and leaves the log alone.
  func show(_ bytes: UnsafeRawBufferPointer) throws(CallFailure) {
    var rest = bytes
    while !rest.isEmpty {
      try awaitRoom()
      do throws(Errno) {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(try output.write(rest)))
      } catch {
        if error != .wouldBlock { throw CallFailure("write", on: Self.name, errno: error) }
      }
    }
  }

  func show(_ bytes: [UInt8]) throws(CallFailure) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(CallFailure) in try show(UnsafeRawBufferPointer(bytes)) }
  }

  private func writeLog(_ bytes: UnsafeRawBufferPointer) throws(CallFailure) {
    switch log {
    case .some(let log):
      do throws(Errno) { try log.writeAll(bytes) } catch { throw CallFailure("write", on: logPath, errno: error) }
    case nil: break
    }
  }

  private func awaitRoom() throws(CallFailure) {
    var queries = [
      pollfd(fd: output.number, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
    ]
    while poll(&queries, 2, -1) <= 0 {}
    if queries[1].revents != 0 { throw CallFailure("poll", on: Self.name, errno: .canceled) }
  }
}
