import CSharedLayouts
import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// Where a listener's news goes: to begatd, or to standard error where there is none.  Never waits for either.
struct Reporter: ~Copyable {
  private var channel: Descriptor?
  /// The channel to the next begatd; it takes the place of the first when that has ended.
  private var keptChannel: Descriptor?
  private let name: String
  /// Whether lines of standard error carry their severity instead of the program's name.
  private let isInJournal = StandardErrorMessage.isInJournal
  /// Records that could not be delivered, ever.
  private(set) var droppedRecords = 0
  /// Records that were lost and are not reported as lost yet.
  private var lost = LostRecords()
  /// Whether open files are welcome with messages; they are dropped otherwise.
  var takesFiles = false
  /// A question of begatd's whose answer found the channel full.
  private var unanswered: UInt32?
  /// Whether begatd has still to hear that this listener is ready, and that it accepts no more.
  private var owesReadiness = false
  private var owesRetirement = false
  /// How many connections the last orders have ended, as far as begatd has still to hear it.
  private var unansweredOrders: [(number: UInt32, count: Int)] = []
  /// A begatd that gives more orders without reading has forgotten them.
  private static let mostUnansweredOrders = 16

  init(channel: consuming Descriptor?, keptChannel: consuming Descriptor? = nil, name: String) {
    self.channel = channel
    self.keptChannel = keptChannel
    self.name = name
  }

  /// Nil where there is no begatd.
  // Inlined into Listener's initializer, it makes the optimizer of Swift 6.3 fail.
  @inline(never) var channelNumber: CInt? {
    switch channel {
    case .some(let channel): channel.number
    case nil: nil
    }
  }

  /// From now on news goes to the next begatd, and to standard error where none can come.
  ///
  /// Answers to the former begatd's questions and orders are of no use to the next one.
  mutating func loseChannel() {
    channel = keptChannel.take()
    unanswered = nil
    unansweredOrders = []
  }

  /// False where it could not be delivered.
  @discardableResult
  mutating func log(_ severity: Severity, _ text: String, _ kind: LogKind = .other) -> Bool {
    guard !send(severity, kind, text) else { return true }
    lost.add(messages: 1, .now)
    return false
  }

  /// Logs a text; one that could not be delivered does not count as lost.
  mutating func tryLog(_ severity: Severity, _ text: String, _ kind: LogKind) -> Bool { send(severity, kind, text) }

  /// Logs what a program has written; false where it could not be delivered.
  mutating func log(_ message: ProgramMessage) -> Bool {
    switch message {
    case .text(let text): return log(.notice, text, .programLine)
    case .line(let line, let record):
      if line.withUnsafeBytes({ send($0, of: record) }) { return true }
      lost.add(messages: 1, .now)
      return false
    }
  }

  private func send(_ line: UnsafeRawBufferPointer, of record: begat_record) -> Bool {
    do throws(SystemCallError) {
      switch channel {
      case .some(let channel): try ListenerChannel.sendProgramLine(line, of: record, on: channel)
      case nil:
        let head = ConnectionRecord(record)?.head ?? ""
        try StandardError.tryWrite(
          self.line(.notice, "\(head)program: \(escaped(line, doublingBackslashes: false))"))
      }
      return true
    } catch { return false }
  }

  private func send(_ severity: Severity, _ kind: LogKind, _ text: String) -> Bool {
    do throws(SystemCallError) {
      switch channel {
      case .some(let channel): try ListenerChannel.sendLog(severity, text, kind, on: channel)
      case nil: try StandardError.tryWrite(line(severity, text))
      }
      return true
    } catch { return false }
  }

  /// A line of standard error.
  private func line(_ severity: Severity, _ text: String) -> String {
    StandardErrorMessage.lines("\(name): \(text)", severity, of: "begat-listener", isInJournal: isInJournal)
  }

  mutating func sayReady(_ addresses: [String]) {
    guard channelNumber != nil else {
      log(.info, "ready on \(addresses.joined(separator: ", "))")
      return
    }
    owesReadiness = true
    answer()
  }

  /// Reports that no client will be accepted any more.
  mutating func sayRetired() {
    owesRetirement = true
    answer()
  }

  /// Reports how many connections an order has ended.
  mutating func sayEnded(_ order: EndOrder, count: Int) {
    if unansweredOrders.count == Reporter.mostUnansweredOrders { unansweredOrders.removeFirst() }
    unansweredOrders.append((order.number, count))
    answer()
  }

  /// Whether begatd waits for something that the full channel has not taken.
  var owesAnswers: Bool { unanswered != nil || owesReadiness || owesRetirement || !unansweredOrders.isEmpty }

  /// Whether there is something to deliver besides records.
  var hasNews: Bool { owesAnswers || !lost.isEmpty }

  /// Delivers the records, after what is older than they.
  ///
  /// - Parameter isLast: whether nothing will follow.
  mutating func report(_ batch: inout RecordBatch, isLast: Bool = false) {
    answer()
    let name = name
    let isInJournal = isInJournal
    let now = Deadline.now
    var unwritten = 0
    let unsent = batch.flush(to: channel, orTo: keptChannel) { record in
      let line = StandardErrorMessage.lines(
        "\(name): \(record)", record.isProblem ? .warning : .info, of: "begat-listener", isInJournal: isInJournal)
      if (try? StandardError.tryWrite(line)) == nil { unwritten += 1 }
    }
    let count = unsent + unwritten
    if count > 0 {
      droppedRecords += count
      lost.add(records: count, now)
    } else if let line = lost.line(now, isLast: isLast), send(.warning, .messagesLost, line) {
      lost = LostRecords()
    }
  }

  /// Says what begatd waits for, now or when there is room.
  private mutating func answer() {
    switch channel {
    case .some(let channel):
      if owesReadiness, (try? ListenerChannel.sendReady(on: channel)) != nil { owesReadiness = false }
      if let number = unanswered, (try? ListenerChannel.sendAlive(number, on: channel)) != nil { unanswered = nil }
      if owesRetirement, (try? ListenerChannel.sendRetired(on: channel)) != nil { owesRetirement = false }
      while let order = unansweredOrders.first,
        (try? ListenerChannel.sendEnded(order.number, count: order.count, on: channel)) != nil
      { unansweredOrders.removeFirst() }
    case nil:
      owesReadiness = false
      owesRetirement = false
      unanswered = nil
      unansweredOrders = []
    }
  }

  /// The next message of begatd, if there is one.
  enum Inbox: ~Copyable {
    /// With the file that came with it.
    case message(SupervisorMessage, Descriptor?)
    case empty
    /// begatd is gone.
    case closed
  }

  /// Reads the next message that has come; those that cannot be read are passed over.
  func nextMessage() -> Inbox {
    switch channel {
    case nil: return .empty
    case .some(let channel):
      return withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
        while true {
          do throws(SystemCallError) {
            var file: Descriptor?
            let count = try receive(from: channel, into: room, &file)
            if count == 0 { return .closed }
            let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
            if let message = ListenerChannel.supervisorMessage(bytes) { return .message(message, file) }
          } catch { return error.code == .wouldBlock ? .empty : .closed }
        }
      }
    }
  }

  private func receive(
    from channel: borrowing Descriptor, into room: UnsafeMutableRawBufferPointer, _ file: inout Descriptor?
  ) throws(SystemCallError) -> Int {
    guard takesFiles else { return try channel.receive(into: room, waiting: false) }
    var message = try channel.receive(into: room, maxPassed: 1, waiting: false)
    file = message.descriptors.takeFirst()
    return message.count
  }

  /// Answers a question: that the loop turns.  Of several questions the last one counts.
  mutating func sayAlive(_ question: UInt32) {
    unanswered = question
    answer()
  }
}
