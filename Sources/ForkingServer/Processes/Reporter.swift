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
    do throws(Errno) {
      switch channel {
      case .some(let channel): try ListenerChannel.sendLog(severity, text, on: channel)
      case nil: try StandardError.writeAtOnce("begat-listener: \(name): \(text)\n")
      }
      return true
    } catch {
      dropped += 1
      return false
    }
  }

  mutating func sayReady(_ addresses: [String]) {
    guard channelNumber != nil else {
      log(.info, "ready on \(addresses.joined(separator: ", "))")
      return
    }
    switch channel {
    case .some(let channel): try? ListenerChannel.sendReady(on: channel)
    case nil: break
    }
  }

  /// Whether there is something to deliver besides records.
  var hasNews: Bool { unanswered != nil || lost.count > 0 }

  /// Delivers the records, after what is older than they.
  ///
  /// - Parameter isLast: whether nothing will follow.
  mutating func report(_ batch: inout RecordBatch, isLast: Bool = false) {
    answer()
    let name = name
    let now = Clock.monotonic()
    let count = batch.flush(to: channel) { record in
      try? StandardError.writeAtOnce("begat-listener: \(name): \(record)\n")
    }
    if count > 0 {
      dropped += count
      lost.add(count, now)
    } else if let line = lost.line(now, isLast: isLast), log(.warning, line) {
      lost = LostRecords()
    }
  }

  /// Answers begatd's last question, now or when there is room.
  private mutating func answer() {
    guard let number = unanswered else { return }
    switch channel {
    case .some(let channel): if (try? ListenerChannel.sendAlive(number, on: channel)) != nil { unanswered = nil }
    case nil: unanswered = nil
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

/// Records that did not reach the log because begatd did not read fast enough: one line when that is over.
struct LostRecords {
  private(set) var count = 0
  private var first: Int64 = 0
  private var last: Int64 = 0

  /// So long nothing more must have been lost; but after the longer time something is said in any case.
  private static let quiet: Int64 = 2_000_000_000
  private static let longest: Int64 = 60_000_000_000

  /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
  mutating func add(_ lost: Int, _ now: Int64) {
    if count == 0 { first = now }
    count += lost
    last = now
  }

  /// The line, where it is due.
  ///
  /// - Parameter isLast: whether there is no later moment.
  func line(_ now: Int64, isLast: Bool) -> String? {
    guard count > 0, isLast || now - last >= LostRecords.quiet || now - first >= LostRecords.longest else { return nil }
    let time = DurationText.render(.seconds((now - first + 999_999_999) / 1_000_000_000))
    return "\(count) ended \(count == 1 ? "connection is" : "connections are") missing in this log, from the last "
      + "\(time): the log is not written fast enough"
  }
}
