import Glibc
@_spi(Begat) import UnixCore

/// Where what a program writes goes: standard output and, if there is one, a log.
///
/// A reader that takes nothing makes the program wait, until that is cancelled.
final class ShownOutput: @unchecked Sendable {
  // Used by one thread.  A conversation, which sees it, can be handed to another one.
  static let name = "standard output"

  /// Whether it goes to standard output just now.
  var isShowing: Bool
  /// With the readers.
  var patience: Patience
  private let output: NonBlockingOutput
  private let log: NonBlockingOutput?
  private let logPath: String
  private let sentLog: NonBlockingOutput?
  private let sentLogPath: String
  /// Whether what is sent just now is a secret, which the log does not show.
  var isSecretSent = false { didSet { isSecretLogged = false } }
  private var isSecretLogged = false

  /// - Parameter log: where all that is taken goes too, open already.
  /// - Parameter sentLog: where all that is sent goes.
  /// - Parameter cancellation: ends the waits for readers.
  init(
    isShowing: Bool, log: consuming Descriptor?, logPath: String = "", sentLog: consuming Descriptor? = nil,
    sentLogPath: String = "", cancellation: Cancellation
  ) throws(SystemCallError) {
    self.isShowing = isShowing
    self.logPath = logPath
    self.sentLogPath = sentLogPath
    patience = Patience(cancellation: cancellation)
    output = try NonBlockingOutput(for: .output)
    switch consume log {
    case .some(let log): self.log = NonBlockingOutput(log)
    case nil: self.log = nil
    }
    switch consume sentLog {
    case .some(let log): self.sentLog = NonBlockingOutput(log)
    case nil: self.sentLog = nil
    }
  }

  /// Whether it was a write of this one's that failed.
  func hasCaused(_ failure: SystemCallError) -> Bool {
    failure.object == Self.name || [logPath, sentLogPath].contains(failure.object)
  }

  /// Takes what came from the program.
  func take(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    switch log {
    case .some(let log): try write(bytes, to: log, named: logPath)
    case nil: break
    }
    if isShowing { try show(bytes) }
  }

  /// Takes what is sent to the program.
  func takeSent(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    switch sentLog {
    case .some(let log) where isSecretSent:
      if isSecretLogged { return }
      isSecretLogged = true
      try Array("[sent]".utf8).withUnsafeBufferPointer { (bytes) throws(SystemCallError) in
        try write(UnsafeRawBufferPointer(bytes), to: log, named: sentLogPath)
      }
    case .some(let log): try write(bytes, to: log, named: sentLogPath)
    case nil: break
    }
  }

  /// Shows it in any case, and leaves the log alone.
  ///
  /// - Throws: `EAGAIN` where the reader had taken nothing by the deadline.
  func show(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) { try write(bytes, to: output, named: Self.name) }

  func show(_ bytes: [UInt8]) throws(SystemCallError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(SystemCallError) in try show(UnsafeRawBufferPointer(bytes)) }
  }

  private func write(
    _ bytes: UnsafeRawBufferPointer, to output: borrowing NonBlockingOutput, named name: String
  ) throws(SystemCallError) {
    var rest = bytes
    while !rest.isEmpty {
      guard try patience.wait(for: .writable, of: output.descriptor) else {
        throw SystemCallError("write", on: name, code: .wouldBlock)
      }
      do throws(SystemCallError) {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(try output.write(rest)))
      } catch {
        if error.code != .wouldBlock { throw SystemCallError("write", on: name, code: error.code) }
      }
    }
  }
}
