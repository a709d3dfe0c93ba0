import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

/// Expecting, exchanging and giving up, over pipes.
@Suite(.timeLimit(.minutes(30))) struct ConversationExpectTests {
  private let deadline = Deadline(after: .seconds(20))

  private func start(
    _ script: String, errors: consuming Conversation.Errors = .inherited, capacity: Int = 1 << 20
  ) throws -> Conversation {
    try Conversation(
      with: Program(path: "/bin/sh", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin"]),
      errors: errors, capacity: capacity)
  }

  @Test("finds the earliest pattern and keeps the rest")
  func finds() throws {
    var conversation = try start("printf 'one two '; read x; printf \"<$x> three\"")
    let first = try conversation.expect(["two", "one"], until: deadline)
    #expect(first.index == 1 && first.before == [])
    try conversation.expect("two", until: deadline)
    try conversation.send("me\n", until: deadline)
    let second = try conversation.expect(.regex(#/<(\w+)>/#), until: deadline)
    #expect(second.capture(1) == "me" && second.textBefore == " ")
    let end = try conversation.expect(["never", .endOfFile], until: deadline)
    #expect(end.index == 1 && end.textBefore == " three")
    let status = try conversation.waitForExit(until: deadline)
    #expect(status == .exited(code: 0))
  }

  @Test("tells the end and the deadline apart")
  func fails() throws {
    var ended = try start("echo no")
    let early = failure { () throws(ConversationError) in try ended.expect("yes", until: deadline) }
    #expect(early == .ended(expected: "\"yes\"", seen: Array("no\n".utf8)))
    var silent = try start("printf no; exec sleep 60")
    try silent.expect("n", until: deadline)
    let late = failure { () throws(ConversationError) in
      try silent.expect("yes", until: Deadline(after: .milliseconds(50)))
    }
    #expect(late == .timedOut(expected: "\"yes\"", seen: [UInt8(ascii: "o")]))
    let end = failure { () throws(SystemCallError) in try silent.waitForExit(until: Deadline(after: .milliseconds(50)))
    }
    #expect(end?.code == .timedOut)
    // One that always has something to say.
    var busy = try start("exec yes", capacity: 4096)
    busy.excess = .isDropped
    let never = failure { () throws(ConversationError) in
      try busy.expect("no", until: Deadline(after: .milliseconds(50)))
    }
    #expect(never != nil && busy.droppedByteCount > 0 && busy.waitingByteCount < 1 << 18)
  }

  @Test("finds a text across pieces and behind what was dropped")
  func findsAcrossPieces() throws {
    let script = "head -c 3000000 /dev/zero; printf nee; read x; echo dle"
    var conversation = try start(script, capacity: 10000)
    conversation.excess = .isDropped
    var strict = try start(script, capacity: 10000)
    let full = failure { () throws(ConversationError) in try strict.expect("needle", until: deadline) }
    #expect(full == .call(SystemCallError("read", on: "/bin/sh", code: .noBufferSpace)))
    try conversation.expect("nee", until: deadline)
    #expect(conversation.droppedByteCount > 2_000_000)
    var whole = try start("printf nee; read x; echo dle")
    let late = failure { () throws(ConversationError) in
      try whole.expect("needle", until: Deadline(after: .milliseconds(50)))
    }
    #expect(late != nil)
    try whole.send("\n", until: deadline)
    try whole.expect("needle", until: deadline)
  }

  @Test("passes an input on, and shows everything")
  func exchanges() throws {
    let seen = Seen()
    let file = try Descriptor.open("/proc/self/exe", .readOnly)
    var conversation = try start("tee /dev/stderr | cksum; exit 3", errors: .separate, capacity: 1000)
    conversation.excess = .isDropped
    conversation.watch = { (stream, bytes) throws(SystemCallError) in
      if stream == .errors { seen.count += bytes.count } else { seen.text += String(decoding: bytes, as: UTF8.self) }
    }
    let status = try conversation.exchange(input: file)
    var facts = stat()
    #expect(fstat(file.number, &facts) == 0)
    #expect(status == .exited(code: 3) && seen.count == facts.st_size)
    #expect(seen.text.split(whereSeparator: \.isWhitespace).dropFirst().first == "\(facts.st_size)")
  }

  /// Pipes hold more than 64 KiB where somebody says so (F_SETPIPE_SZ).
  @Test("takes all that an ended program has left in its pipes, and waits for nobody else")
  func takesTheRest() throws {
    let seen = Seen()
    let script = """
      exec perl -e 'for my $pipe (*STDOUT, *STDERR) { fcntl($pipe, 1031, 1 << 20) or die; syswrite($pipe, "x" x (1 << 20)) }
        exec "sleep 60 &"'
      """
    var conversation = try start(script, errors: .separate, capacity: 1000)
    conversation.excess = .isDropped
    conversation.watch = { (stream, bytes) throws(SystemCallError) in
      if stream == .errors { seen.errorCount += bytes.count } else { seen.count += bytes.count }
    }
    let early = conversation.status(until: deadline)
    let status = try conversation.waitForExit(until: deadline)
    #expect(early == .exited(code: 0) && status == early && !deadline.isExpired)
    #expect(seen.count == 1 << 20 && seen.errorCount == 1 << 20)
    #expect(conversation.droppedByteCount > 1_000_000 && conversation.droppedErrorByteCount > 1_000_000)
  }

  @Test("gives a regex up that never ends")
  func givesUp() throws {
    var conversation = try start("printf \(String(repeating: "a", count: 60)); exec sleep 60")
    try conversation.expect("a", until: deadline)
    let late = failure { () throws(ConversationError) in
      try conversation.expect(.regex(#/(a*)*b/#), until: Deadline(after: .milliseconds(50)))
    }
    #expect(late == .timedOut(expected: "match of a regex", seen: [UInt8](repeating: UInt8(ascii: "a"), count: 59)))
    // One that is quick is looked for though the time is up.
    let match = try conversation.expect(.regex(#/a{5}/#), until: .immediate)
    #expect(match.text == "aaaaa")
  }

  @Test("stops passing on to who reads no more")
  func stopsPassingOn() throws {
    let zeros = try Descriptor.open("/dev/zero", .readOnly)
    var conversation = try start("exec <&-; echo done; exec sleep 0.05")
    #expect(try conversation.exchange(input: zeros) == .exited(code: 0))
    let rest = try conversation.read(until: deadline)
    #expect(rest == Array("done\n".utf8))
  }

  @Test("is cancelled by a descriptor, while its program goes on")
  func isCancelled() throws {
    let ends = try PipeEnds()
    try ends.writeEnd.writeAll("x")
    var conversation = try start("read x; echo $x; exec cat")
    conversation.cancellation = try Cancellation(whenReadable: ends.readEnd)
    let waits = [
      failure { () throws(SystemCallError) in try conversation.readLine() },
      failure { () throws(SystemCallError) in try conversation.waitForExit() },
    ]
    #expect(waits.map { $0?.code } == [.canceled, .canceled])
    #expect(conversation.terminate() == .killed(by: .terminate, dumpedCore: false))
  }

  /// Closures that are handed over may only share what says so.
  private final class Seen: @unchecked Sendable {
    var count = 0
    var errorCount = 0
    var text = ""
  }
}
