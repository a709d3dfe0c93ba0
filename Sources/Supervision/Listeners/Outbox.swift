import ControlProtocol
@_spi(Begat) import UnixCore

/// The messages to a listener that its channel had no room for, in their order.
///
/// A listener that is stopped, or busy for a moment, does not read.  A signal in the place of a message would mean something
/// else: one that says retire and empty your sockets has no signal.
struct Outbox {
  private struct Waiting {
    let message: SupervisorMessage
    /// Goes with it, and is let go of when it is sent.
    let file: SharedFile?
  }

  private var messages: [Waiting] = []
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
  /// A file waits for a listener only as long as it is of use: no more of them wait than there are scoreboards.
  ///
  /// - Parameter file: is passed with it.
  /// - Throws: `EAGAIN` for an order to end connections where too many wait; another error where the listener can never be
  ///   told.
  mutating func send(
    _ message: SupervisorMessage, passing file: SharedFile? = nil, on channel: borrowing Descriptor
  ) throws(SystemCallError) {
    guard !supersede(message) else { return }
    var failure: SystemCallError?
    if messages.isEmpty {
      do throws(SystemCallError) { return try ListenerChannel.send(message, passing: file, on: channel) } catch {
        failure = error
      }
    }
    if let failure, !failure.meansFullChannel { throw failure }
    if case .end = message, messages.count >= Outbox.capacity {
      throw failure ?? SystemCallError("send", on: "channel", code: .wouldBlock)
    }
    messages.append(Waiting(message: message, file: file))
    if case .retire = message { retirementDeadline = SystemClock.monotonic() + Outbox.patience }
  }

  /// Removes a message that a later one makes useless.
  ///
  /// - Returns: whether the later one is useless too.
  private mutating func supersede(_ later: SupervisorMessage) -> Bool {
    switch later {
    case .state: messages.removeAll { $0.message == .state }
    case .dropBoard(let number):
      guard let place = messages.firstIndex(where: { $0.message == .board(number) }) else { return false }
      messages.remove(at: place)
      return true
    case .question, .begin, .clear, .retire, .end, .board, .nameRequests: break
    }
    return false
  }

  /// Sends what there is room for; the rest of a listener that can never be told is dropped.
  mutating func flush(on channel: borrowing Descriptor) {
    var sent = 0
    flushing: for waiting in messages {
      do throws(SystemCallError) {
        try ListenerChannel.send(waiting.message, passing: waiting.file, on: channel)
      } catch {
        if !error.meansFullChannel { sent = messages.count }
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

extension SystemCallError {
  /// Whether the message can be sent when its reader has read: there is no room for it, or for one more open file on its
  /// way.
  ///
  /// Source: unix(7), ETOOMANYREFS.
  fileprivate var meansFullChannel: Bool { code == .wouldBlock || code == .tooManyReferences }
}
