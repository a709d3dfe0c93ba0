import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

/// Programs that are really on the machine, on a terminal of their own.
@Suite(.timeLimit(.minutes(30))) struct TerminalConversationTests {
  private let deadline = Deadline(after: .seconds(20))

  private func program(_ path: String, _ words: String...) -> Program {
    Program(
      path: path, arguments: words, environment: ["PATH=/usr/bin:/bin", "TERM=dumb", "LC_ALL=C.UTF-8"])
  }

  private func text(_ line: [UInt8]?) -> String? { line.map { String(decoding: $0, as: UTF8.self) } }

  @Test("gets each line back from cat -n, as Comm.pl's example does")
  func getsLinesBack() throws {
    var conversation = try TerminalConversation(program("/bin/cat", "-n")) { $0.echoes = false }
    for number in 1...10 {
      try conversation.sendLine("a line", until: deadline)
      let line = text(try conversation.readLine(until: deadline))
      #expect(line == String(repeating: " ", count: number < 10 ? 5 : 4) + "\(number)\ta line")
    }
    try conversation.sendEndOfFile()
    let last = try conversation.readLine(until: deadline)
    let status = try conversation.waitForExit(until: deadline)
    #expect(last == nil && status == .exited(code: 0))
  }

  @Test("shows what is sent where the terminal echoes")
  func echoes() throws {
    var conversation = try TerminalConversation(program("/bin/cat"))
    try conversation.sendLine("x", until: deadline)
    let both = [text(try conversation.readLine(until: deadline)), text(try conversation.readLine(until: deadline))]
    #expect(both == ["x", "x"])
    try conversation.sendControl("c")
    let status = try conversation.waitForExit(until: deadline)
    #expect(status == .killed(by: .interrupt, dumpedCore: false))
    let rest = try conversation.read(until: deadline)
    #expect(rest == Array("^C".utf8))
    let refused = failure { () throws(SystemCallError) in try conversation.sendControl("1") }
    #expect(refused?.code == .invalidArgument)
  }

  @Test("calculates with bc")
  func calculates() throws {
    var conversation = try TerminalConversation(program("/usr/bin/bc", "-q")) { $0.echoes = false }
    for (sum, result) in [("6*7", "42"), ("2^70", "1180591620717411303424"), ("1/0", "zero")] {
      try conversation.sendLine(sum, until: deadline)
      let match = try conversation.expect(.literal(result), until: deadline)
      #expect(match.text == result)
    }
    try conversation.sendLine("quit")
    let status = try conversation.waitForExit(until: deadline)
    #expect(status == .exited(code: 0))
  }

  @Test("talks to python3 at its prompt")
  func talksToPython() throws {
    var conversation = try TerminalConversation(program("/usr/bin/python3", "-i", "-q"))
    try conversation.expect(">>> ", until: deadline)
    try conversation.sendLine("print(6 * 7)", until: deadline)
    let match = try conversation.expect(.regex(#/\n(\d+)\r\n>>> /#), until: deadline)
    #expect(match.capture(1) == "42")
    try conversation.sendLine("import sys; sys.exit(5)", until: deadline)
    let status = try conversation.waitForExit(until: deadline)
    #expect(status == .exited(code: 5))
  }

  @Test("shows all that comes to who watches, though it is dropped")
  func isWatched() throws {
    final class Seen: @unchecked Sendable { var count = 0 }
    let seen = Seen()
    var conversation = try TerminalConversation(
      program("/bin/sh", "-c", "head -c 300000 /dev/zero; echo end"), bufferLimit: 1000)
    conversation.watch = { (bytes) throws(SystemCallError) in seen.count += bytes.count }
    try conversation.expect("end\r\n", until: deadline)
    #expect(seen.count == 300_005 && conversation.droppedByteCount > 200_000)
  }

  @Test("types a line that the terminal takes whole, and no longer one")
  func boundsLines() throws {
    var conversation = try TerminalConversation(program("/bin/cat")) { $0.echoes = false }
    let longest = String(repeating: "x", count: 4095)
    let refused = failure { () throws(SystemCallError) in try conversation.sendLine(longest + "x", until: deadline) }
    #expect(refused == SystemCallError("write", on: conversation.terminalPath, code: .messageTooLong))
    try conversation.sendLine(longest, until: deadline)
    let line = text(try conversation.readLine(until: deadline))
    #expect(line == longest)
    // A raw terminal has no lines.
    var raw = try TerminalConversation(program("/bin/cat")) { $0 = $0.raw }
    try raw.sendLine(longest + longest, until: deadline)
    try raw.expect("x\r", until: deadline)
    #expect(raw.droppedByteCount == 0)
  }

  @Test("keeps a line of the limit's length whole, and no byte more")
  func isExact() throws {
    let script = "printf '%0100d\\n%0101d\\n' 1 2; sleep 60"
    var conversation = try TerminalConversation(program("/bin/sh", "-c", script), bufferLimit: 101)
    let first = try conversation.readLine(until: deadline)
    #expect(first?.count == 100)
    let second = failure { () throws(SystemCallError) in _ = try conversation.readLine(until: deadline) }
    #expect(second?.code == .messageTooLong && conversation.waitingByteCount <= 102)
  }

  @Test("waits until the terminal does not echo, or the program has ended")
  func waitsForTheEcho() throws {
    let script = "echo ready; read go; stty -echo; read secret; stty echo; echo \\<$secret\\>"
    var conversation = try TerminalConversation(program("/bin/sh", "-c", script))
    try conversation.expect("ready", until: deadline)
    let late = failure { () throws(ConversationError) in
      try conversation.waitUntilEchoIsOff(until: Deadline(after: .milliseconds(30)))
    }
    #expect(late == .timedOut(expected: "terminal without echo", seen: Array("\r\n".utf8)))
    try conversation.sendLine("go", until: deadline)
    try conversation.waitUntilEchoIsOff(until: deadline)
    try conversation.sendLine("hidden", until: deadline)
    let rest = try conversation.expect(.endOfFile, until: deadline).textBefore
    #expect(rest.hasSuffix("<hidden>\r\n") && rest.split(separator: "hidden").count == 2)
    let ended = failure { () throws(ConversationError) in try conversation.waitUntilEchoIsOff(until: deadline) }
    guard case .ended = ended else { return _ = Issue.record("\(String(describing: ended))") }
  }

  @Test("shows what is typed to who watches, and has a descriptor to wait for")
  func isWatchedBothWays() throws {
    final class Typed: @unchecked Sendable { var bytes: [UInt8] = [] }
    let typed = Typed()
    var conversation = try TerminalConversation(program("/bin/cat")) { $0.echoes = false }
    conversation.watchSent = { (bytes) throws(SystemCallError) in typed.bytes += bytes }
    let isReadable = conversation.descriptor.wait(for: .readable, until: .immediate)
    #expect(!isReadable)
    try conversation.sendLine("a", until: deadline)
    let becomesReadable = conversation.descriptor.wait(for: .readable, until: deadline)
    let line = try conversation.readUntrustedLine(until: .immediate)
    #expect(becomesReadable && line == UntrustedBytes(text: "a"))
    #expect(typed.bytes == Array("a\r".utf8))
  }

  @Test("stops waiting when it is cancelled, but ends the program")
  func isCancelled() throws {
    let ends = try PipeEnds()
    try ends.writeEnd.writeAll("x")
    // It lives on without its terminal.
    var conversation = try TerminalConversation(program("/bin/sh", "-c", "exec <&- >&- 2>&-; sleep 60"))
    conversation.cancellation = try Cancellation(whenReadable: ends.readEnd)
    let waits = [
      failure { () throws(SystemCallError) in _ = try conversation.waitForExit() },
      failure { () throws(SystemCallError) in _ = try conversation.interact(input: ends.readEnd, output: ends.writeEnd)
      },
    ]
    #expect(waits.map { $0?.code } == [.canceled, .canceled])
    #expect(conversation.terminate(gracePeriod: .milliseconds(200)) == .killed(by: .terminate, dumpedCore: false))
  }

  @Test("tells every reader that the input has ended")
  func repeatsTheEnd() throws {
    let nothing = try Descriptor.open("/dev/null", .readWrite)
    var readers = try TerminalConversation(
      program("/bin/sh", "-c", "cat; cat; stty -icanon -isig; stty icanon; cat; exit 9"))
    let end = try readers.interact(input: nothing, output: nothing)
    #expect(end == .ended(.exited(code: 9)))
  }

  @Test("logs in: a prompt, then a password that is not shown")
  func logsIn() throws {
    let script = """
      printf 'login: '; read name; stty -echo; printf 'Password: '; read word; stty echo; echo
      [ "$word" = 'se cret' ] && echo "Welcome, $name" || echo 'Login incorrect'
      """
    for (word, answer) in [("se cret", 0), ("wrong", 1)] {
      var conversation = try TerminalConversation(program("/bin/sh", "-c", script))
      try conversation.expect("login: ", until: deadline)
      try conversation.sendLine("ada", until: deadline)
      let prompt = try conversation.expect("Password: ", until: deadline)
      let settings = try conversation.settings()
      #expect(prompt.textBefore == "ada\r\n" && !settings.echoes)
      try conversation.sendLine(word, until: deadline)
      let match = try conversation.expect(["Welcome, ada", "Login incorrect"], until: deadline)
      #expect(match.index == answer && match.textBefore == "\r\n")
      let status = try conversation.waitForExit(until: deadline)
      #expect(status.isSuccess)
    }
  }

  @Test("has a size that the program sees, and tells it of another one")
  func hasASize() throws {
    let script = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.02; done"
    var conversation = try TerminalConversation(
      program("/bin/sh", "-c", script), size: TerminalSize(columns: 100, rows: 50))
    let first = text(try conversation.readLine(until: deadline))
    try conversation.resize(to: TerminalSize(columns: 61, rows: 17))
    let second = text(try conversation.readLine(until: deadline))
    #expect([first, second] == ["50 100", "17 61"])
    let plain = try TerminalConversation(program("/bin/cat"))
    let size = try plain.size()
    #expect(size == .standard)
  }

  @Test("sends more than the terminal holds while the program writes as much")
  func sendsMuch() throws {
    var conversation = try TerminalConversation(program("/bin/cat"), bufferLimit: 1 << 20) { $0 = $0.raw }
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try conversation.send(bytes, until: deadline)
    var back: [UInt8] = []
    while back.count < bytes.count { back += try conversation.read(until: deadline) }
    let isSame = back == bytes
    #expect(isSame)
    let status = conversation.terminate()
    #expect(status == .killed(by: .terminate, dumpedCore: false))
  }

  @Test("gives up at the deadline, reading, sending and waiting")
  func givesUp() throws {
    var conversation = try TerminalConversation(program("/bin/sleep", "50")) { $0 = $0.raw }
    let bytes = [UInt8](repeating: 0x78, count: 1 << 20)
    let failures = [
      failure { () throws(SystemCallError) in try conversation.read(until: Deadline(after: .milliseconds(20))) },
      failure { () throws(SystemCallError) in try conversation.readLine(until: Deadline(after: .milliseconds(20))) },
      failure { () throws(SystemCallError) in try conversation.send(bytes, until: Deadline(after: .milliseconds(100)))
      },
      failure { () throws(SystemCallError) in try conversation.waitForExit(until: Deadline(after: .milliseconds(20))) },
    ]
    #expect(failures.map { $0?.code } == [.timedOut, .timedOut, .timedOut, .timedOut])
    // One that writes without end and never reads.
    var chatty = try TerminalConversation(program("/usr/bin/yes")) { $0 = $0.raw }
    let late = [
      failure { () throws(SystemCallError) in try chatty.send(bytes, until: Deadline(after: .milliseconds(100))) },
      failure { () throws(SystemCallError) in try chatty.waitForExit(until: Deadline(after: .milliseconds(100))) },
    ]
    #expect(late.map { $0?.code } == [.timedOut, .timedOut])
    let never = failure { () throws(ConversationError) in
      try chatty.expect("no", until: Deadline(after: .milliseconds(100)))
    }
    #expect(never != nil)
  }

  @Test("has a longest line")
  func hasALongestLine() throws {
    let script = "head -c 300 /dev/zero | tr '\\0' x; echo; echo short"
    var conversation = try TerminalConversation(program("/bin/sh", "-c", script), bufferLimit: 100)
    let tooLong = failure { () throws(SystemCallError) in try conversation.readLine(until: deadline) }
    #expect(tooLong?.code == ErrorCode.messageTooLong)
    try conversation.expect("x\r\n", until: deadline)
    let short = text(try conversation.readLine(until: deadline))
    #expect(short == "short")
  }

  @Test("refuses to send to a program that has ended")
  func refusesAfterTheEnd() throws {
    var conversation = try TerminalConversation(program("/bin/echo", "bye"))
    let status = try conversation.waitForExit(until: deadline)
    let again = try conversation.waitForExit(until: deadline)
    #expect(status == .exited(code: 0) && again == status)
    let refused = failure { () throws(SystemCallError) in try conversation.send("x", until: deadline) }
    #expect(refused?.code == ErrorCode.ioError)
    let rest = try conversation.read(until: deadline)
    let end = try conversation.read(until: deadline)
    #expect(rest == Array("bye\r\n".utf8) && end.isEmpty)
  }

  @Test("ends when the program does, though somebody outside its session keeps the terminal open")
  func endsWithTheProgram() throws {
    var conversation = try TerminalConversation(
      program("/bin/sh", "-c", "setsid sleep 3 & until [ -n \"$(ps -o sess= -p $! | grep $!)\" ]; do :; done; echo $!"))
    let match = try conversation.expect(.endOfFile, until: deadline)
    let sleeper = pid_t(match.textBefore.split { $0.isWhitespace }.first ?? "")
    let isRunning = sleeper.map { kill($0, 0) == 0 } ?? false
    #expect(isRunning)
    let status = try conversation.waitForExit(until: deadline)
    #expect(status == .exited(code: 0))
    if let sleeper { kill(sleeper, SIGKILL) }
  }

  @Test("leaves nobody of the session behind, however it ends")
  func leavesNobody() throws { try ProbeProgram.check("terminal-session") }

  @Test("leaves no descriptor open")
  func leavesNoDescriptors() throws { try ProbeProgram.check("terminal-descriptors") }

  @Test("passes 64 MiB one way and 4 MiB the other, byte for byte")
  func passesAFlood() throws { try ProbeProgram.check("terminal-flood") }

  @Test("is handed over to the user, with size and escape character")
  func isHandedOver() throws { try ProbeProgram.check("terminal-interacted") }

  @Test("is handed over to a script, whose input ends")
  func isHandedOverToAScript() throws { try ProbeProgram.check("terminal-interact-pipe") }

  @Test("waits no longer than a time limit")
  func waitsInATimeLimit() throws { try ProbeProgram.check("bound-terminal") }

  @Test("may have a buffer without a limit")
  func mayHaveABufferWithoutLimit() throws { try ProbeProgram.check("bound-buffer") }

  @Test("waits for room to show the last words, without spinning")
  func waitsForRoom() throws { try ProbeProgram.check("bound-interaction") }
}
