import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

func conversationGoesLineByLine(_ words: [String]) throws {
  // open2("cat -u -n"), and bc, which answers a line at a time.
  var cat = try Conversation(with: Program(path: "/bin/cat", arguments: ["-u", "-n"]))
  for number in 1...10 {
    try cat.send("a line\n")
    let numbered = String(repeating: " ", count: number < 10 ? 5 : 4) + "\(number)\ta line"
    try expectEqual(text(cat.readLine(until: Deadline(after: .seconds(20)))), numbered, "line")
  }
  try expectEqual(cat.close(), .exited(code: 0), "status of cat")
  var calculator = try Conversation(with: Program(path: "/usr/bin/bc", arguments: ["-q"]))
  try calculator.send("2 ^ 100\n6 * 7\n")
  try expectEqual(text(calculator.readLine()), "1267650600228229401496703205376", "2 ^ 100")
  try expectEqual(text(calculator.readLine()), "42", "6 * 7")
  let late = failure { () throws(SystemCallError) in try calculator.readLine(until: Deadline(after: .milliseconds(20)))
  }
  try expectEqual(late, SystemCallError("poll", on: "/usr/bin/bc", code: .timedOut), "a line that never comes")
  try calculator.send("1 + 1\n")
  try expectEqual(text(calculator.readLine()), "2", "1 + 1, after the time was up")
  calculator.endInput()
  try expect(calculator.readLine() == nil, "a line after the end")
  try expectEqual(calculator.close(), .exited(code: 0), "status of bc")
}

/// `conversation-large MEBIBYTES [show]`: as many each way, byte for byte.
func conversationOfAnySize(_ words: [String]) throws {
  let size = (words.first.flatMap { Int($0) } ?? 4) << 20
  var state: UInt64 = 1
  var data = [UInt8]()
  data.reserveCapacity(size)
  while data.count < size {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    withUnsafeBytes(of: state) { data.append(contentsOf: $0) }
  }
  let start = SystemClock.monotonic()
  var cat = try Conversation(with: Program(path: "/bin/cat"))
  try cat.send(data)
  cat.endInput()
  var back: [UInt8] = []
  while true {
    let part = try cat.read()
    if part.isEmpty { break }
    back += part
  }
  try expectEqual(cat.close(), .exited(code: 0), "status")
  if words.count > 1 { say("\(size >> 20) MiB each way in \((SystemClock.monotonic() - start) / 1_000_000) ms") }
  try expect(back == data, "what came back differs")
}

func conversationOverThreePipes(_ words: [String]) throws {
  // Writes a megabyte to each before it reads anything: full pipes on all three sides.
  let script = """
    import sys
    sys.stderr.write('e' * 1000000); sys.stderr.flush()
    sys.stdout.write('o' * 1000000); sys.stdout.flush()
    n = len(sys.stdin.read())
    sys.stdout.write('\\n%d\\n' % n)
    """
  var python = try Conversation(
    with: Program(
      path: "/usr/bin/env", arguments: ["python3", "-c", script], environment: .inherited),
    errors: .separate)
  try python.send([UInt8](repeating: 120, count: 1_500_000))
  python.endInput()
  try expectEqual(python.readLine()?.count, 1_000_000, "output")
  try expectEqual(text(python.readLine()), "1500000", "what it read")
  try expectEqual(python.readErrors().count, 1_000_000, "errors")
  try expectEqual(python.close(), .exited(code: 0), "status")

  var noisy = try Conversation(with: Program(path: "/usr/bin/yes"), capacity: 100_000)
  let full = failure { () throws(SystemCallError) in try noisy.send([UInt8](repeating: 1, count: 1_000_000)) }
  try expectEqual(full?.code, .noBufferSpace, "one that writes without end")
  try expectEqual(noisy.terminate(), .killed(by: .terminate, dumpedCore: false), "status")
}

func conversationEndsWithItsProgram(_ words: [String]) throws {
  var short = try Conversation(with: shell("read line; echo got $line; exit 9"))
  try short.send("word\n")
  try expectEqual(text(short.readLine()), "got word", "line")
  try expect(short.readLine() == nil, "a line after the end")
  // The kernel closes one after the other.
  try expectEqual(short.status(), .exited(code: 9), "status")
  let refused = failure { () throws(SystemCallError) in try short.send("more\n") }
  try expectEqual(refused, SystemCallError("write", on: "/bin/sh", code: .brokenPipe), "writing to one that ended")
  try expectEqual(short.close(), .exited(code: 9), "status")
  // Whoever finishes early takes no harm from what is still to come.
  var chatty = try Conversation(with: shell("head -c 1000000 /dev/zero; exit 2"))
  try expectEqual(chatty.close(), .exited(code: 2), "status of one that had more to say")
  let number: pid_t
  do { number = try Conversation(with: Program(path: "/bin/cat")).process }
  try expect(kill(number, 0) == -1, "a conversation that was dropped goes on")
  try nothingToReap([])
}
