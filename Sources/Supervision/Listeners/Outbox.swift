import ControlProtocol
@_spi(Begat) import UnixCore

/// The messages to a listener that its channel had no room for, in their order.
///
/// A listener that is stopped, or busy for a moment, does not read.  A signal in the place of a message would mean something
/// else: one that says retire and empty your sockets has no signal.
struct Outbox {
  private var messages: [SupervisorMessage] = []
  /// When a retirement that waits is to be replaced by SIGTERM, CLOCK_MONOTONIC nanoseconds; nil if none waits.
  private(set) var retirementDeadline: Int64?

  /// How many messages may wait before further orders to end connections are refused.  A request that names many
  /// connections needs many of them; there are never many others.
  static let capacity = 4096
  /// How long a retirement waits for room, in nanoseconds.
  static let patience: Int64 = 5_000_000_000

  var isEmpty: Bool { messages.isEmpty }

  /// Sends a message, or keeps it behind those that wait.
  ///
  /// - Throws: `EAGAIN` for an order to end connections where too many wait; another error where the listener can never be
  ///   told.
  mutating func send(_ message: SupervisorMessage, on channel: borrowing Descriptor) throws(SystemCallError) {
    var failure: SystemCallError?
    if messages.isEmpty {
      do throws(SystemCallError) { return try ListenerChannel.send(message, on: channel) } catch { failure = error }
    }
    if let failure, failure.code != .wouldBlock { throw failure }
    if case .end = message, messages.count >= Outbox.capacity {
      throw failure ?? SystemCallError("send", on: "channel", code: .wouldBlock)
    }
    messages.append(message)
    if case .retire = message { retirementDeadline = SystemClock.monotonic() + Outbox.patience }
  }

  /// Sends what there is room for; the rest of a listener that can never be told is dropped.
  mutating func flush(on channel: borrowing Descriptor) {
    var sent = 0
    flushing: for message in messages {
      do throws(SystemCallError) { try ListenerChannel.send(message, on: channel) } catch {
        if error.code != .wouldBlock { sent = messages.count }
        break flushing
      }
      sent += 1
    }
    messages.removeFirst(sent)
    if messages.isEmpty { retirementDeadline = nil }
  }

  /// Drops everything: the listener is told in another way.
  mutating func removeAll() { self = Outbox() }
}
