import Admission
import ControlProtocol
import Testing
@_spi(Begat) import UnixCore

/// A begat-listener with a channel, for which the test is begatd.
final class SupervisedListener {
  let program: RunningProgram
  private let channel: Descriptor
  /// What it has said, in its order.
  private(set) var messages: [ListenerMessage] = []
  private var isOver = false

  /// - Parameter offer: options and, behind `--`, a program.
  /// - Parameter sockets: descriptors, which stay the test's.
  /// - Parameter closing: those that the listener is to empty and close.
  init(
    _ offer: [String], sockets: [CInt], closing: [CInt] = [], scoreboard: CInt? = nil, book: CInt? = nil,
    bans: CInt? = nil, column: Int = 0, drainTimeout: String = "30s"
  ) throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    var passed = [pair.second.number]
    var options = ["--channel", "3", "--drain-timeout", drainTimeout, "--column", "\(column)"]
    func pass(_ option: String, _ numbers: [CInt]) {
      for number in numbers {
        passed.append(number)
        options += ["--\(option)", "\(passed.count + 2)"]
      }
    }
    pass("socket", sockets)
    pass("closing", closing)
    pass("scoreboard", scoreboard.map { [$0] } ?? [])
    pass("admission", book.map { [$0] } ?? [])
    pass("bans", bans.map { [$0] } ?? [])
    program = try RunningProgram(try Programs.listener(), options + offer, passing: passed)
    channel = pair.first
  }

  /// Waits until it has read everything, and lets it accept.
  func begin(clearing columns: UInt8 = 0) throws {
    try awaitMessage(.ready)
    try send(.begin(clearing: columns))
  }

  func send(_ message: SupervisorMessage) throws { try ListenerChannel.send(message, on: channel) }

  /// Waits for a message.
  func awaitMessage(_ message: ListenerMessage, within limit: Duration = .seconds(10)) throws {
    _ = try awaitMessage(within: limit) { $0 == message ? message : nil }
  }

  /// Waits for a message, and returns what is made of it; those that came before count too.
  func awaitMessage<Result>(within limit: Duration = .seconds(10), _ read: (ListenerMessage) -> Result?) throws
    -> Result
  {
    let deadline = Deadline(within: limit)
    var looked = 0
    while true {
      while looked < messages.count {
        if let result = read(messages[looked]) { return result }
        looked += 1
      }
      guard !isOver, channel.wait(for: .readable, until: UnixCore.Deadline(after: .milliseconds(deadline.milliseconds)))
      else {
        throw HarnessFailure("the listener did not say it within \(limit); said: \(messages)\n\(program.errors.text)")
      }
      try receive()
    }
  }

  /// Whether it has said this by now.
  func hasSaid(_ message: ListenerMessage) throws -> Bool {
    while !isOver, channel.wait(for: .readable, until: .immediate) { try receive() }
    return messages.contains(message)
  }

  private func receive() throws {
    try withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
      let count = try channel.receive(into: room, waiting: false)
      guard count > 0 else {
        isOver = true
        return
      }
      let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
      guard let message = ListenerChannel.listenerMessage(bytes) else { throw HarnessFailure("an unreadable message") }
      messages.append(message)
    }
  }

  /// The records of the connections that have ended.
  var records: [ConnectionRecord] {
    messages.flatMap { message -> [ConnectionRecord] in
      if case .connections(let records) = message { records } else { [] }
    }
  }

  /// Waits for the record of an ended connection.
  func awaitRecord(within limit: Duration = .seconds(10)) throws -> ConnectionRecord {
    try awaitMessage(within: limit) { message in
      if case .connections(let records) = message { records.first } else { nil }
    }
  }

  /// Sends an order and returns how many connections it has reached.
  func end(_ selection: EndOrder.Selection) throws -> Int {
    let number = UInt32(messages.count) + 1000
    try send(.end(EndOrder(number: number, selection)))
    return try awaitMessage { if case .ended(number, let count) = $0 { count } else { nil } }
  }

  /// Retires it, and waits until it accepts no more.
  func retire(closing closesSockets: Bool = false, drainTimeout: Duration = .seconds(30)) throws {
    try send(.retire(Retirement(closesSockets: closesSockets, drainTimeout: drainTimeout)))
    try awaitMessage(.retired)
  }

  /// Its connection processes and programs.
  var connections: [ProcessFacts] {
    ProcessFacts.children(of: program.process).filter { !$0.isZombie && !$0.isSpare }
  }

  /// Asserts that it ends well by itself.
  func awaitEnd(within limit: Duration = .seconds(10), sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(try program.awaitEnd(within: limit) == .exited(code: 0), sourceLocation: sourceLocation)
    #expect(program.errors.awaitEnd(within: .seconds(2)), "a process is left", sourceLocation: sourceLocation)
    _ = try? hasSaid(.retired)
  }
}
