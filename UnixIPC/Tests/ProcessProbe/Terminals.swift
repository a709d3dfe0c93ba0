import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

let terminalSubcommands: Subcommands = [
  "terminal-hold": holdTerminal,
  "terminal-restored": terminalIsRestored,
  "terminal-under-script": terminalIsRestoredUnderScript,
  "terminal-job": controlJob,
  "terminal-stopped": terminalIsRestoredWhileStopped,
  "terminal-dispositions": dispositionsAreRestored,
  "terminal-control": programControlsItsTerminal,
  "terminal-session": sessionEndsWhole,
  "conversation-abandoned": abandonedSearchesAreBounded,
  "terminal-descriptors": conversationsLeaveNoDescriptors,
  "terminal-flood": floodPassesWhole,
  "terminal-interact": interactHere,
  "terminal-interacted": interactionIsHandedOver,
  "terminal-interact-pipe": interactionMayBeAPipe,
]

private let soon = Duration.seconds(20)

func itself(_ words: String...) -> Program {
  Program(path: "/proc/self/exe", arguments: words, environment: ["SWIFT_BACKTRACE=enable=no"])
}

/// What a program prints, with a terminal as its input.
private func output(_ path: String, _ words: [String], input: borrowing Descriptor) throws -> String {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let child = try Program(path: path, arguments: words).spawn(
    descriptors: [input.number, writing.number, writing.number])
  _ = consume writing
  let bytes = try readBytes(.max, from: reading)
  try expectEqual(try child.waitForExit(), .exited(code: 0), words[0])
  return String(decoding: bytes, as: UTF8.self)
}

private func stty(_ terminal: borrowing Descriptor) throws -> String {
  try output("/bin/stty", ["-a"], input: terminal)
}

/// Makes the terminal raw, with `screen` behind the way as a program that fills the screen does.
private func withRaw(_ terminal: borrowing Descriptor, _ words: [String], _ body: () throws -> Void) throws {
  guard words.dropFirst().first == "screen" else { return try TerminalMode.withRaw(terminal, body) }
  let output = NonBlockingOutput(try terminal.duplicate())
  try TerminalMode.withRaw(terminal, output: output, entering: "<ENTER>", leaving: "<LEAVE>", body)
}

/// Holds its input raw until a byte comes, and then ends as it is told.
func holdTerminal(_ words: [String]) throws {
  let way = words.first ?? ""
  if way == "ignored" { Signal.interrupt.ignore() }
  try Descriptor.withBorrowed(STDIN_FILENO) { (terminal) in
    try withRaw(terminal, words) {
      say("raw")
      _ = try readBytes(1, from: terminal)
      switch way {
      case "throw": throw Wrong(description: "as told")
      case "exit": exit(7)
      case "trap": fatalError("as told")
      case "child":
        let child = try Program(path: "/bin/sleep", arguments: ["50"]).spawn(descriptors: [])
        child.send(.kill)
        _ = try child.waitForExit()
      case "fork":
        // A forked child is no holder: its end must not change the parent's terminal.
        _ = try end {
          try Signal.terminate.send(to: getpid())
          return 0
        }
        let settings = try TerminalSettings(of: terminal)
        try expect(settings == settings.raw, "a forked child gave the terminal back")
      case "refork":
        // A copy that holds the terminal itself has its parent's handlers already, and ends by a fault all the same.
        for signal in [Signal.terminate, .segmentationFault] {
          let status = try end {
            try Descriptor.withBorrowed(STDIN_FILENO) { (terminal) in
              try TerminalMode.withRaw(terminal) { try signal.send(to: getpid()) }
            }
            return 0
          }
          try expectEqual(status, .killed(by: signal, dumpedCore: false), "a copy that holds the terminal")
        }
      default: break
      }
    }
  }
}

func terminalIsRestored(_ words: [String]) throws {
  func killed(_ signal: CInt) -> ExitStatus { .killed(by: Signal(rawValue: signal), dumpedCore: false) }
  for isScreen in [false, true] {
    let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGSEGV, SIGABRT]
    for signal in signals {
      try checkHolder("signal", signal: signal, ends: killed(signal), restores: true, isScreen: isScreen)
    }
    try checkHolder("normal", ends: .exited(code: 0), restores: true, isScreen: isScreen)
    try checkHolder("throw", ends: .exited(code: 1), restores: true, isScreen: isScreen)
    try checkHolder("exit", ends: .exited(code: 7), restores: true, isScreen: isScreen)
    try checkHolder("child", ends: .exited(code: 0), restores: true, isScreen: isScreen)
    try checkHolder("fork", ends: .exited(code: 0), restores: true, isScreen: isScreen)
    try checkHolder("refork", ends: .exited(code: 0), restores: true, isScreen: isScreen)
    try checkHolder("trap", ends: nil, restores: true, isScreen: isScreen)
    try checkHolder("ignored", signal: SIGINT, ends: nil, restores: true, isScreen: isScreen)
    // The proof that this test can fail.
    try checkHolder("signal", signal: SIGKILL, ends: killed(SIGKILL), restores: false, isScreen: isScreen)
  }
}

private func checkHolder(
  _ way: String, signal: CInt? = nil, ends: ExitStatus?, restores: Bool, isScreen: Bool
) throws {
  let name = "\(way) \(signal.map { "\(Signal(rawValue: $0))" } ?? "")\(isScreen ? " on a screen" : "")"
  let terminal = try PseudoTerminal()
  let side = try terminal.openTerminalSide()
  let before = try stty(side)
  let reports = try PipeEnds()
  let reading = reports.readEnd
  let writing = reports.writeEnd
  var program = itself("terminal-hold", way, isScreen ? "screen" : "")
  program.controlsTerminal = true
  program.limits = [Program.Limit(.coreSize, soft: 0, hard: 0)]
  let child = try program.spawn(descriptors: [side.number, writing.number, writing.number])
  _ = consume writing
  try expectEqual(String(decoding: readBytes(4, from: reading), as: UTF8.self), "raw\n", name)
  let during = try stty(side)
  try expect(during != before && during.contains("-icanon") && during.contains("-echo "), "\(name): \(during)")
  if let signal { try Signal(rawValue: signal).send(to: child.process) }
  // An ignored signal leaves it waiting for this.
  if signal == nil || way == "ignored" { try terminal.controlling.writeAll("x") }
  let status = child.status(until: Deadline(after: soon))
  if way == "trap" {
    guard case .killed = status else { throw Wrong(description: "\(name): \(String(describing: status))") }
  } else {
    try expectEqual(status, ends ?? .exited(code: 0), name)
  }
  let after = try stty(side)
  try expect((after == before) == restores, "\(name): before \(before)after \(after)")
  let expected = Array((isScreen ? "<ENTER>" + (restores ? "<LEAVE>" : "") : "").utf8)
  var shown: [UInt8] = []
  // Output arrives in pieces, and a little later.
  while shown.count < expected.count, terminal.controlling.wait(for: .readable, until: Deadline(after: soon)) {
    shown += try terminal.controlling.read(maxCount: 1000)
  }
  try expect(!terminal.controlling.wait(for: .readable, until: .immediate), "\(name): more than \(shown)")
  try expectEqual(shown, expected, name)
}

func terminalIsRestoredUnderScript(_ words: [String]) throws {
  let path = String(decoding: try linkTarget("/proc/self/exe"), as: UTF8.self)
  let command = "stty -a; (printf x >&3) 3>/dev/null; \(path) terminal-hold normal; stty -a"
  var conversation = try TerminalConversation(
    Program(
      path: "/usr/bin/script", arguments: ["-qec", command, "/dev/null"], environment: ["PATH=/usr/bin:/bin"])
  )
  let deadline = Deadline(after: soon)
  let before = try conversation.expect("raw", until: deadline)
  try conversation.send("x")
  let after = try conversation.expect(.endOfFile, until: deadline)
  let trimmed = { (text: String) in text.split { $0.isWhitespace }.joined(separator: " ") }
  try expect(before.textBefore.contains("speed"), "stty: \(before.textBefore)")
  try expectEqual(trimmed(after.textBefore), trimmed(before.textBefore), "stty under script")
  try expectEqual(conversation.waitForExit(until: deadline), .exited(code: 0), "script")
}

private func linkTarget(_ path: String) throws -> [UInt8] {
  var room = [UInt8](repeating: 0, count: Int(PATH_MAX))
  let length = room.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
  return Array(room[..<max(0, length)])
}

/// A shell with one job: leads the session of the terminal that is its input.
func controlJob(_ words: [String]) throws {
  // Else this could not change the foreground from the background.
  Signal(rawValue: SIGTTOU).ignore()
  try Descriptor.withBorrowed(STDIN_FILENO) { (terminal) in
    let before = try stty(terminal)
    let reports = try PipeEnds()
    let reading = reports.readEnd
    let writing = reports.writeEnd
    var program = itself("terminal-hold", "normal")
    program.leadsGroup = true
    let job = try program.spawn(descriptors: [STDIN_FILENO, writing.number, writing.number])
    tcsetpgrp(STDIN_FILENO, job.process)
    try expectEqual(try terminal.foregroundGroup(), job.process, "foreground")
    // Its first settings may have found it in the background still.
    job.send(.continue)
    _ = try readBytes(4, from: reading)
    try awaitRaw(terminal, "in front")

    job.send(Signal(rawValue: SIGTSTP))
    try expectEqual(try stopSignal(of: job.process), SIGTSTP, "stop")
    try expectEqual(try stty(terminal), before, "settings while stopped")
    job.send(.continue)
    try awaitRaw(terminal, "continued")

    job.send(Signal(rawValue: SIGTSTP))
    try expectEqual(try stopSignal(of: job.process), SIGTSTP, "second stop")
    tcsetpgrp(STDIN_FILENO, getpgrp())
    job.send(.continue)
    // It reads on, from the background.
    try expectEqual(try stopSignal(of: job.process), SIGTTIN, "stop in the background")
    try expectEqual(try stty(terminal), before, "settings while it is in the background")

    tcsetpgrp(STDIN_FILENO, job.process)
    job.send(.continue)
    try awaitRaw(terminal, "in front again")
    say("type")
    try expectEqual(try job.waitForExit(), .exited(code: 0), "job")
    try expectEqual(try stty(terminal), before, "settings afterwards")
  }
}

private func stopSignal(of process: pid_t) throws -> CInt {
  var status: CInt = 0
  try expect(waitpid(process, &status, WUNTRACED) == process && status & 0xff == 0x7f, "not stopped: \(status)")
  return status >> 8 & 0xff
}

private func awaitRaw(_ terminal: borrowing Descriptor, _ what: String) throws {
  let deadline = Deadline(after: soon)
  while true {
    let settings = try TerminalSettings(of: terminal)
    if settings == settings.raw { return }
    try expect(!deadline.isExpired, "\(what): not raw")
    sched_yield()
  }
}

func terminalIsRestoredWhileStopped(_ words: [String]) throws {
  let terminal = try PseudoTerminal()
  let side = try terminal.openTerminalSide()
  let reports = try PipeEnds()
  let reading = reports.readEnd
  let writing = reports.writeEnd
  var program = itself("terminal-job")
  program.controlsTerminal = true
  let child = try program.spawn(descriptors: [side.number, writing.number, writing.number])
  _ = consume writing
  let first = String(decoding: try readBytes(5, from: reading), as: UTF8.self)
  try terminal.controlling.writeAll("x")
  let rest = first + String(decoding: try readBytes(.max, from: reading), as: UTF8.self)
  try expectEqual(child.status(until: Deadline(after: soon)), .exited(code: 0), "shell: \(rest)")
  try expectEqual(rest, "type\n", "report")
}

func dispositionsAreRestored(_ words: [String]) throws {
  func handler(_ signal: CInt) -> Int {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
  }
  func handlers() -> [Int] { (1..<32).map { handler(CInt($0)) } }
  Signal.interrupt.ignore()
  signal(SIGUSR1) { _ in }
  let before = handlers()
  let terminal = try PseudoTerminal()
  let side = try terminal.openTerminalSide()
  let settings = try TerminalSettings(of: side)
  try TerminalMode.withRaw(side) {
    try expectEqual(handler(SIGINT), 1, "an ignored signal")
    try expectEqual(handler(SIGUSR1), before[Int(SIGUSR1) - 1], "a handler of the program's own")
    try expect(handler(SIGTERM) > 1, "SIGTERM has no handler")
    let inner = failure { () throws in try TerminalMode.withRaw(side) {} }
    try expectEqual((inner as? SystemCallError)?.code, ErrorCode.resourceBusy, "a second one inside")
    try expectEqual(TerminalSettings(of: side), settings.raw, "settings inside")
    // A handler that is set inside stays.
    Signal(rawValue: SIGUSR2).ignore()
  }
  var expected = before
  expected[Int(SIGUSR2) - 1] = 1
  try expectEqual(handlers(), expected, "dispositions")
  try expectEqual(TerminalSettings(of: side), settings, "settings")
  let null = try Descriptor.open("/dev/null", .readOnly)
  let refused = failure { () throws in try TerminalMode.withRaw(null) {} }
  try expectEqual((refused as? SystemCallError)?.code, ErrorCode.inappropriateIOCTLForDevice, "no terminal")
  try expectEqual(handlers(), expected, "dispositions after a failure")
}

func programControlsItsTerminal(_ words: [String]) throws {
  let file = try Descriptor.open("/dev/null", .readOnly)
  var program = Program(path: "/bin/true")
  program.controlsTerminal = true
  let refused = failure { () throws(SystemCallError) in try program.start(descriptors: [file.number]) }
  try expectEqual(
    refused, SystemCallError("TIOCSCTTY", on: "/bin/true", code: ErrorCode.inappropriateIOCTLForDevice),
    "without a terminal")
  try nothingToReap([])

  let script = "tty </dev/tty; ps -o tty=,sess=,tpgid= -p $$; echo $$"
  var conversation = try TerminalConversation(
    Program(path: "/bin/sh", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin"]))
  let number = conversation.process
  let path = conversation.terminalPath
  let text = try conversation.expect(.endOfFile, until: Deadline(after: soon)).textBefore
  let short = path.dropFirst("/dev/".count)
  let found = text.split { $0.isWhitespace }.map(String.init)
  try expectEqual(found, ["/dev/tty", String(short), "\(number)", "\(number)", "\(number)"], "what the program sees")
  try expectEqual(conversation.waitForExit(), .exited(code: 0), "status")

  setsid()
  let none = failure { () throws(SystemCallError) in try Descriptor.openControllingTerminal() }
  try expectEqual(none, SystemCallError("open", on: "/dev/tty", code: ErrorCode.noSuchAddressOrDevice), "no terminal")
}
