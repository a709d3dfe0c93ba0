import Control
import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Shows a model on the whole terminal, again and again, until a key ends it.
///
/// Nothing is waited for but keys, signals, answers and the next time: begatd may be stopped and the terminal too.
struct ScreenLoop<Model: ScreenModel>: ~Copyable {
  private var model: Model
  private let client: ControlClient
  private let interval: ScreenInterval
  private var screen: ScreenOutput
  private let signals: SignalDescriptor
  private var keys = KeyReader()
  /// When an escape that has no further bytes was the escape key.
  private var escapeTime = Deadline.never
  private var pending: PendingAnswer?
  private var requests: [ControlRequest] = []
  private var nextRound = Deadline.immediate
  /// The processor time that this process had used at the beginning of the round.
  private var usedBefore = ScreenInterval.processorTime
  private var isChanged = true

  private static var escapeTime: Duration { .milliseconds(50) }

  private init(_ model: Model, client: ControlClient, interval: ScreenInterval) throws(SystemCallError) {
    let output = try Descriptor.withBorrowed(STDOUT_FILENO) { (output) throws(SystemCallError) in
      try output.duplicate(notBelow: 3)
    }
    signals = try SignalDescriptor(SignalSet([Signal(rawValue: SIGWINCH), .continue]))
    screen = ScreenOutput(NonBlockingOutput(output))
    self.model = model
    self.client = client
    self.interval = interval
  }

  /// Runs until a key ends it; a signal ends the process, as usual.  In either case the terminal is left as it was.
  ///
  /// Keys come from standard input, or from the controlling terminal if standard input is none.
  ///
  /// - Throws: `SystemCallError` if the terminal is gone.
  static func run(_ model: Model, client: ControlClient, interval: ScreenInterval) throws {
    var loop = try ScreenLoop(model, client: client, interval: interval)
    let keyboard =
      isatty(STDIN_FILENO) == 1
      ? try Descriptor.withBorrowed(STDIN_FILENO) { (input) throws(SystemCallError) in try input.duplicate(notBelow: 3)
      }
      : try Descriptor.openControllingTerminal()
    let output = NonBlockingOutput(
      try loop.screen.output.descriptor.duplicate(notBelow: 3))
    // A reporter of crashes in Swift's run-time may have it, which knows nothing of the screen.
    if try Signal.quit.disposition != .ignored { Signal.quit.restoreDefault() }
    try TerminalMode.withRaw(
      keyboard, output: output, entering: ScreenOutput.entering, leaving: ScreenOutput.leaving
    ) { try loop.turn(keyboard) }
  }

  private mutating func turn(_ keyboard: borrowing Descriptor) throws(SystemCallError) {
    while true {
      ask()
      if isChanged, !screen.isBusy { try draw() }
      var events = PollSet()
      let typed = events.add(keyboard.number, .readable)
      let signalled = events.add(signals.descriptor.number, .readable)
      let answered = events.add(pending?.descriptor ?? -1, .readable)
      let hasRoom = events.add(screen.isBusy ? screen.output.number : -1, .writable)
      _ = try events.wait(until: wakeTime)
      if !events[signalled].isEmpty {
        try takeSignals(keyboard)
        // Stopped and continued, it knows nothing of the others any more: the shell may have read what was typed.
        continue
      }
      if !events[hasRoom].isEmpty { try screen.flush() }
      if !events[answered].isEmpty || (pending?.deadline.hasPassed ?? false) { takeAnswer() }
      var pressed: [Key] = []
      if !events[typed].isEmpty { pressed = keys.take(try ScreenLoop.read(keyboard)) }
      if escapeTime.hasPassed { pressed += keys.finish() }
      escapeTime = keys.isUndecided ? Deadline(after: ScreenLoop.escapeTime) : .never
      for key in pressed where try take(key) { return }
    }
  }

  private var wakeTime: Deadline { min(nextRound, min(escapeTime, pending?.deadline ?? .never)) }

  // MARK: begatd

  private mutating func ask() {
    if nextRound.hasPassed {
      // One that takes longer than the interval is waited for.
      if pending == nil, requests.isEmpty { requests = model.questions }
      let used = ScreenInterval.processorTime
      nextRound = Deadline(after: interval.duration(afterUsing: used - usedBefore))
      usedBefore = used
    }
    while pending == nil, !requests.isEmpty {
      let request = requests.removeFirst()
      do throws(ControlClientError) { pending = try client.start(request) } catch { fail(error, request) }
    }
  }

  private mutating func takeAnswer() {
    guard let request = pending?.request else { return }
    do throws(ControlClientError) {
      guard let answer = try pending?.take() else { return }
      pending = nil
      model.take(client.completed(answer, request) ?? answer, to: request)
      if !request.name.isQuestion { nextRound = .immediate }
    } catch {
      pending = nil
      fail(error, request)
    }
    isChanged = true
  }

  private mutating func fail(_ error: ControlClientError, _ request: ControlRequest) {
    isChanged = true
    if error.isAbsence, let answer = client.completed(nil, request) { return model.take(answer, to: request) }
    requests = []
    model.take(error, to: request)
  }

  // MARK: The terminal

  private mutating func draw() throws(SystemCallError) {
    isChanged = false
    let size = Descriptor.withBorrowed(screen.output.number) { try? $0.terminalSize() }
    let isKnown = size.map { $0.columns > 0 && $0.rows > 0 } ?? false
    let known = isKnown ? size ?? .standard : .standard
    try screen.draw(model.lines(known), known)
  }

  private mutating func takeSignals(_ keyboard: borrowing Descriptor) throws(SystemCallError) {
    isChanged = true
    var isContinued = false
    while let arrival = signals.take() { isContinued = isContinued || arrival.signal == .continue }
    guard isContinued else { return }
    screen.forget()
    // Continued in the background, it would draw over what the shell shows.
    let group = try? keyboard.foregroundGroup()
    if let group, group != getpgrp() { try Signal.backgroundRead.sendToOwnGroup() }
  }

  private static func read(_ keyboard: borrowing Descriptor) throws(SystemCallError) -> [UInt8] {
    try withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { (room) throws(SystemCallError) -> [UInt8] in
      let count = try keyboard.read(into: room)
      // No key can end it any more.
      if count == 0 { throw SystemCallError("read", on: "the terminal", code: ErrorCode.ioError) }
      return Array(room[..<count])
    }
  }

  /// - Returns: whether the key ends it.
  private mutating func take(_ key: Key) throws(SystemCallError) -> Bool {
    isChanged = true
    switch key {
    // A raw terminal leaves to the program what these keys do otherwise.
    case .control("c"):
      try Signal.interrupt.sendToOwnGroup()
      return true
    case .control("z"): try Signal.terminalStop.sendToOwnGroup()
    case .control("l"): screen.forget()
    default:
      switch model.take(key) {
      case .nothing: break
      case .refresh: nextRound = .immediate
      case .send(let request):
        requests.insert(request, at: 0)
      case .end: return true
      }
    }
    return false
  }
}
