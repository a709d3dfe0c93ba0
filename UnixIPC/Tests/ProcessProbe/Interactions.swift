import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

private let soon = Duration.seconds(30)

/// Hands its terminal over to a shell script, twice.
func interactHere(_ words: [String]) throws {
  // It looks at the size instead of waiting for SIGWINCH: bash forgets a signal that comes while it runs the trap of the
  // one before.
  let script = """
    echo up
    while :; do
      size=$(stty size); [ "$size" = "$shown" ] || echo size $size; shown=$size
      read -t 0.1 line && echo "got $line"; [ "$line" = bye ] && exit 9
    done
    """
  var blocked = sigset_t()
  pthread_sigmask(SIG_BLOCK, nil, &blocked)
  var conversation = try TerminalConversation(
    Program(path: "/bin/bash", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin"]),
    size: TerminalSize(columns: 1, rows: 1))
  let first = try conversation.interact()
  say("first \(first)\r")
  let second = try conversation.interact(escape: 0x01)
  say("second \(second)\r")
  var after = sigset_t()
  pthread_sigmask(SIG_BLOCK, nil, &after)
  try expect(
    sigismember(&blocked, SIGWINCH) == 0 && sigismember(&after, SIGWINCH) == 0, "SIGWINCH is blocked afterwards")
}

func interactionIsHandedOver(_ words: [String]) throws {
  let deadline = Deadline(after: soon)
  var before: TerminalSettings?
  var user = try TerminalConversation(itself("terminal-interact"), size: TerminalSize(columns: 99, rows: 33)) {
    before = $0
  }
  try user.expect("size 33 99", until: deadline)
  try expectEqual(user.settings(), before?.raw, "settings during interact")
  try user.send("hello\r")
  let echo = try user.expect("got hello", until: deadline)
  try expect(echo.textBefore.contains("hello\r\n"), "no echo: \(echo.textBefore)")
  try user.resize(to: TerminalSize(columns: 101, rows: 44))
  try user.expect("size 44 101", until: deadline)
  try user.send("ab\u{1d}cd\r")
  try user.expect("first escaped", until: deadline)
  // What was typed behind the escape character is not lost.
  try user.expect("got abcd", until: deadline)
  try user.send("b\u{1d}ye\u{7f}\u{7f}\u{7f}\u{7f}bye\r")
  try user.expect("second ended(exit 9)", until: deadline)
  try expectEqual(user.waitForExit(until: deadline), .exited(code: 0), "probe")
  try expectEqual(user.settings(), before, "settings afterwards")
}

func interactionMayBeAPipe(_ words: [String]) throws {
  let inputs = try PipeEnds()
  let outputs = try PipeEnds()
  let input = inputs.readEnd
  let typing = inputs.writeEnd
  let output = outputs.writeEnd
  let reading = outputs.readEnd
  // The last line has no end: one end-of-file key hands it over, the second one is the end.
  try typing.writeAll("one\ntwo\nthree")
  _ = consume typing
  let cat = Program(path: "/bin/cat", arguments: ["-n"])
  var conversation = try TerminalConversation(cat) { $0.echoes = false }
  try expectEqual(conversation.interact(input: input, output: output), .ended(.exited(code: 0)), "cat")
  _ = consume output
  let text = String(decoding: try readBytes(.max, from: reading), as: UTF8.self)
  try expectEqual(escaped(text.utf8), escaped("     1\tone\r\n     2\ttwo\r\n     3\tthree".utf8), "cat -n")

  try nothingSpins()

  // More than all queues hold, both ways, through a reader that starts late.
  try copyMuch()
}

/// After the input's end, and after the program has closed its terminal and lives on.
private func nothingSpins() throws {
  func used() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(0), &usage)
    return usage.ru_utime.tv_sec * 1_000_000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
  }
  let null = try Descriptor.open("/dev/null", .readWrite)
  for script in ["stty raw; exec sleep 0.7", "exec <&- >&- 2>&-; exec sleep 0.7"] {
    var idle = try TerminalConversation(shell(script))
    let before = used()
    try expectEqual(idle.interact(input: null, output: null), .ended(.exited(code: 0)), script)
    let time = used() - before
    try expect(time < 200_000, "\(script): \(time) µs of processor time while idle")
  }
}

private func copyMuch() throws {
  let inputs = try PipeEnds()
  let outputs = try PipeEnds()
  let input = inputs.readEnd
  let typing = inputs.writeEnd
  let output = outputs.writeEnd
  let reading = outputs.readEnd
  let size = 2 << 20
  let number = typing.number
  let writer = try forked {
    try Descriptor.withBorrowed(number) { try $0.writeAll(String(repeating: "0123456789abcde\n", count: size / 16)) }
    return 0
  }
  _ = consume typing
  let readingNumber = reading.number
  let outputNumber = output.number
  let reader = try forked {
    close(outputNumber)
    let bytes = try Descriptor.withBorrowed(readingNumber) { try readBytes(.max, from: $0) }
    return bytes.count == size && bytes.suffix(2) == [UInt8(ascii: "e"), UInt8(ascii: "\n")] ? 0 : 1
  }
  _ = consume reading
  let program = Program(path: "/usr/bin/head", arguments: ["-c", "\(size)"])
  var conversation = try TerminalConversation(program) { $0 = $0.raw }
  try expectEqual(conversation.interact(input: input, output: output), .ended(.exited(code: 0)), "copy")
  _ = consume output
  try expectEqual(Children.wait(for: writer), .exited(code: 0), "writer")
  try expectEqual(Children.wait(for: reader), .exited(code: 0), "reader")
}
