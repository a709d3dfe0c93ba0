@_spi(Begat) import UnixCore

/// The signals that end a command, taken instead where it has a program of its own to end first.
///
/// What the command was told to ignore, as nohup(1) does, is left ignored.
struct EndingSignals: ~Copyable {
  private let queue: SignalQueue

  init() throws(SystemCallError) { queue = try SignalQueue(.terminationRequests) }

  /// Readable when one has come.
  var descriptor: Descriptor { _read { yield queue.descriptor } }

  /// The first that has come.
  func take() -> Signal? { queue.take()?.signal }
}
