import ControlProtocol
import UnixIPC

/// Where a listener's news goes: to begatd, or to standard error where there is none.  Never waits for either.
struct Reporter: ~Copyable {
  private var channel: Descriptor?
  private let name: String
  /// Everything that could not be delivered, ever.
  private(set) var dropped = 0
  /// Records that were lost and are not reported as lost yet.
  private var lost = LostRecords()
  /// A question of begatd's whose answer found the channel full.
  private var unanswered: UInt32?
  /// Whether begatd has still to hear that this listener is ready.
  private var owesReadiness = false

  init(channel: consuming Descriptor?, name: String) {
    self.channel = channel
    self.name = name
  }

  var channelNumber: CInt? {
    switch channel {
    case .some(let channel): channel.number
    case nil: nil
    }
  }

  /// From now on news goes to standard error.
  mutating func loseChannel() { channel = nil }

  /// False where it could not be delivered.
  @discardableResult
  mutating func log(_ severity: Severity, _ text: String) -> Bool {
    guard !send(severity, text) else { return true }
    dropped += 1
    lost.add(messages: 1, .now)
    return false
  }

  private func send(_ severity: Severity, _ text: String) -> Bool {
    do throws(Errno) {
      switch channel {
      case .some(let channel): try ListenerChannel.sendLog(severity, text, on: channel)
      case nil: try StandardError.writeAtOnce("begat-listener: \(name): \(text)\n")
      }
      return true
    } catch { return false }
  }

  mutating func sayReady(_ addresses: [String]) {
    guard channelNumber != nil else {
      log(.info, "ready on \(addresses.joined(separator: ", "))")
      return
    }
    owesReadiness = true
    answer()
  }

  /// Whether there is something to deliver besides records.
  var hasNews: Bool { unanswered != nil || owesReadiness || !lost.isEmpty }

  /// Delivers the records, after what is older than they.
  ///
  /// - Parameter isLast: whether nothing will follow.
  mutating func report(_ batch: inout RecordBatch, isLast: Bool = false) {
    answer()
    let name = name
    let now = Deadline.now
    var unwritten = 0
    let unsent = batch.flush(to: channel) { record in
      if (try? StandardError.writeAtOnce("begat-listener: \(name): \(record)\n")) == nil { unwritten += 1 }
    }
    let count = unsent + unwritten
    if count > 0 {
      dropped += count
      lost.add(records: count, now)
    } else if let line = lost.line(now, isLast: isLast), send(.warning, line) {
      lost = LostRecords()
    }
  }

  /// Says what begatd waits for, now or when there is room: that this listener is ready, the answer to its last question.
  private mutating func answer() {
    switch channel {
    case .some(let channel):
      if owesReadiness, (try? ListenerChannel.sendReady(on: channel)) != nil { owesReadiness = false }
      if let number = unanswered, (try? ListenerChannel.sendAlive(number, on: channel)) != nil { unanswered = nil }
    case nil:
      owesReadiness = false
      unanswered = nil
    }
  }

  /// Reads what begatd says, answering questions; false when begatd is gone.
  mutating func readChannel() -> Bool {
    let (question, isOpen) = lastQuestion()
    if let question { unanswered = question }
    answer()
    return isOpen
  }

  /// All that has come is read; of several questions the last one counts.
  private func lastQuestion() -> (number: UInt32?, isOpen: Bool) {
    var question: UInt32?
    switch channel {
    case nil: return (nil, true)
    case .some(let channel):
      return withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
        while true {
          do throws(Errno) {
            let count = try channel.receive(into: room, waiting: false)
            if count == 0 { return (nil, false) }
            let message = ListenerChannel.supervisorMessage(UnsafeRawBufferPointer(rebasing: room[..<count]))
            if case .question(let number) = message { question = number }
          } catch { return (question, error == .wouldBlock) }
        }
      }
    }
  }
}
