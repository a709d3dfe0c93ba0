import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let fifoSubcommands: Subcommands = [
  "fifo-pairs": pairsGetATextEach,
  "fifo-groups": groupsGetATextEach,
  "fifo-busy": readerThatRunsFirstGetsItsText,
  "fifo-late": lateReaderGetsItsText,
  "fifo-held": readerHeldByTwoProcessesCountsOnce,
  "fifo-singles": singlesGetOneTextEach,
  "fifo-swaps": swappedFilesStay,
  "fifo-early": earlyLeaversDoNotEndTheServer,
  "fifo-killed": killedServersPlaceIsTaken,
  "fifo-descriptors": familyLeavesNoDescriptor,
  "fifo-signal": brokenPipeIsNoSignal,
]

/// A process that serves texts with a number each, "text 7\n".
private func server(at path: String) throws -> ChildProcess {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let parent = getpid()
  let process = try forked {
    _ = try ProcessControl.setParentDeathSignal(.kill, parent: parent)
    var server = try FIFOServer(at: path)
    try writing.writeAll("r")
    var number = 0
    while true {
      _ = try server.serve { () -> [UInt8] in
        number += 1
        return Array("text \(number)\n".utf8)
      }
    }
  }
  _ = consume writing
  try expectEqual(try readBytes(1, from: reading).count, 1, "a server")
  return try ChildProcess(owning: process)
}

/// The numbers of the texts that came; nil where one was not whole.
func textNumbers(_ bytes: [UInt8]) -> [Int]? {
  var text = String(decoding: bytes, as: UTF8.self)[...]
  var numbers: [Int] = []
  while !text.isEmpty {
    guard text.hasPrefix("text "), let end = text.firstIndex(of: "\n"), let number = Int(text.dropFirst(5)[..<end])
    else { return nil }
    numbers.append(number)
    text = text[text.index(after: end)...]
  }
  return numbers
}

private struct Tally {
  var one = 0, none = 0, more = 0, broken = 0, twice = 0
}

/// Readers in groups that start together; how many texts each has got.
private func tally(readers: Int, together: Int, path: String, tools: Bool = false) throws -> Tally {
  let server = try server(at: path)
  let memory = try MemoryMapping.shared(size: readers * 2 + 4096)
  var tally = Tally()
  for _ in 0..<readers / together {
    let gate = try PipeEnds()
    let wait = gate.readEnd
    let go = gate.writeEnd.release()
    var children: [pid_t] = []
    for place in 0..<together {
      children.append(
        try forked {
          Glibc.close(go)
          _ = try readBytes(1, from: wait)
          let bytes =
            tools ? try readByTool(place, path) : try readBytes(.max, from: Descriptor.open(path, .readOnly))
          guard let got = textNumbers(bytes) else { return 50 }
          // Not by a subscript: ThreadSanitizer's compiler cannot take one of a captured mapping.
          let counts = memory.unsafeBytes.assumingMemoryBound(to: UInt8.self).baseAddress!
          for number in got { (counts + number % memory.unsafeBytes.count).pointee += 1 }
          return CInt(min(got.count, 2))
        })
    }
    Glibc.close(go)
    for child in children {
      switch try Children.wait(for: child) {
      case .exited(code: 0): tally.none += 1
      case .exited(code: 1): tally.one += 1
      case .exited(code: 2): tally.more += 1
      case let other:
        try expectEqual(other, .exited(code: 50), "a reader")
        tally.broken += 1
      }
    }
  }
  tally.twice = memory.unsafeBytes.count { $0 > 1 }
  server.terminate()
  return tally
}

/// What a program of others reads there: one that opens it itself, or gets it opened by a shell that stays.
private func readByTool(_ number: Int, _ path: String) throws -> [UInt8] {
  let commands = [
    "exec cat \"$0\"", "exec perl -e 'open(F, \"<\", $ARGV[0]) or die; print <F>' \"$0\"",
    "exec python3 -c 'import sys; print(open(sys.argv[1]).read(), end=\"\")' \"$0\"", "{ cat; :; } < \"$0\"",
  ]
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd.release()
  let tool = try forked {
    dup2(writing, 1)
    let command = commands[number % commands.count]
    var words: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(command), strdup(path)]
    words.append(nil)
    execv("/bin/sh", words)
    return 127
  }
  Glibc.close(writing)
  let bytes = try readBytes(.max, from: reading)
  try expectEqual(try Children.wait(for: tool), .exited(code: 0), "a tool")
  return bytes
}

private func show(_ tally: Tally, _ start: Int64) {
  say(
    "one \(tally.one), none \(tally.none), more \(tally.more), broken \(tally.broken), given twice \(tally.twice), "
      + "\(Double(SystemClock.monotonic() - start) / 1e9) s")
}

/// DIRECTORY COUNT [figures]
func pairsGetATextEach(_ words: [String]) throws {
  let count = Int(words[1]) ?? 100
  let start = SystemClock.monotonic()
  let tally = try tally(readers: count, together: 2, path: words[0] + "/fifo")
  if words.count > 2 { show(tally, start) }
  try expectEqual(tally.broken, 0, "readers with a part of a text")
  try expectEqual(tally.twice, 0, "texts that two readers got")
  // Each of 12,000 has got exactly one.  The bound leaves room for a system that hides what readers do.
  try expect(tally.one * 100 >= count * 95, "only \(tally.one) of \(count) have got one: \(tally)")
}

/// DIRECTORY COUNT TOGETHER [tools]
func groupsGetATextEach(_ words: [String]) throws {
  let start = SystemClock.monotonic()
  let tally = try tally(
    readers: Int(words[1]) ?? 100, together: Int(words[2]) ?? 2, path: words[0] + "/fifo", tools: words.count > 3)
  show(tally, start)
}

func singlesGetOneTextEach(_ words: [String]) throws {
  let count = Int(words[1]) ?? 100
  let start = SystemClock.monotonic()
  let tally = try tally(readers: count, together: 1, path: words[0] + "/fifo")
  if words.count > 2 { show(tally, start) }
  try expectEqual(tally.one, count, "readers that got exactly one: \(tally)")
  try expectEqual(tally.twice, 0, "texts that two readers got")
}

private func entries(_ path: String) throws -> [String] {
  guard let directory = opendir(path) else { throw Wrong(description: "opendir") }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if name != ".", name != ".." { names.append("\(path)/\(name)") }
  }
  return names
}

func earlyLeaversDoNotEndTheServer(_ words: [String]) throws {
  let path = words[0] + "/early"
  var server = try FIFOServer(at: path)
  let parent = getpid()
  // SIGPIPE has its default action here, which would end this process.
  for _ in 0..<50 {
    let child = try forked {
      _ = try ProcessControl.setParentDeathSignal(.kill, parent: parent)
      let reader = try Descriptor.open(path, .readOnly)
      return try readBytes(1, from: reader).count == 1 ? 0 : 1
    }
    // Longer than a pipe: the reader leaves in the middle of it.
    _ = try server.serve(until: Deadline(after: .seconds(20))) { Array(repeating: 65, count: 1 << 20) }
    try expectEqual(try Children.wait(for: child), .exited(code: 0), "a reader of one byte")
  }
}

func killedServersPlaceIsTaken(_ words: [String]) throws {
  let path = words[0] + "/killed"
  for _ in 0..<10 {
    let first = try server(at: path)
    let refused = failure { () throws(FIFO.OpenError) in try FIFOServer(at: path) }
    try expectEqual(refused, .inUse(UnixPath(path)), "a second server")
    first.send(.kill)
    _ = try first.waitForExit()
    let reader = try forked { try readBytes(.max, from: Descriptor.open(path, .readOnly)) == [65] ? 0 : 1 }
    var next = try FIFOServer(at: path)
    var served = 0
    let deadline = Deadline(after: .seconds(20))
    while served == 0, !deadline.isExpired { served = try next.serve(until: deadline) { [65] } }
    try expectEqual(
      try Children.wait(for: reader), .exited(code: 0), "a reader that may have waited before the server came")
  }
  try expect(access(path, F_OK) == -1, "the last one left its FIFO")
}

func familyLeavesNoDescriptor(_ words: [String]) throws {
  let path = words[0] + "/count"
  let before = try openDescriptors()
  for _ in 0..<3 {
    let fifo = try FIFO.make(at: path)
    _ = failure { () throws(FIFO.OpenError) in try FIFO.make(at: path) }
    _ = failure { () throws(FIFO.OpenError) in try fifo.openForWriting(until: Deadline(after: .milliseconds(5))) }
    _ = failure { () throws(FIFO.OpenError) in try fifo.openForReading(until: Deadline(after: .milliseconds(5))) }
    try expect(fifo.removeIfOurs(), "not removed")
    do {
      var server = try FIFOServer(at: path)
      let reader = try Descriptor.open(path, [.readOnly, .nonBlocking])
      try expectEqual(try server.serve { [65] }, 1, "texts")
      try expectEqual(try readBytes(9, from: reader), [65], "text")
      _ = failure { () throws(FIFO.OpenError) in try FIFOServer(at: path) }
    }
    let memory = try SharedMemorySegment.createAttached(size: 10)
    let set = try SemaphoreSet.create(values: [0])
    try set.withTaken { try memory.write([1]) }
    try set.remove()
  }
  try expectEqual(try openDescriptors(), before, "descriptors")
  try expectEqual(try entries(words[0]), [], "files left behind")
}

func brokenPipeIsNoSignal(_ words: [String]) throws {
  let ends = try PipeEnds()
  let writing = ends.writeEnd
  _ = consume ends.readEnd
  func write() -> ErrorCode? {
    var byte: UInt8 = 1
    return withUnsafeBytes(of: &byte) { bytes in
      failure { () throws(SystemCallError) in try writing.write(bytes) }?.code
    }
  }
  try expectEqual(write(), .brokenPipe, "default action")
  Signal.brokenPipe.ignore()
  try expectEqual(write(), .brokenPipe, "ignored")
  Signal.brokenPipe.restoreDefault()
  // One of somebody else's stays pending.
  SignalSet(.brokenPipe).block()
  let queue = try SignalQueue(SignalSet(.brokenPipe))
  for send in [{ kill(getpid(), SIGPIPE) }, { raise(SIGPIPE) }] {
    try expectEqual(send(), 0, "a signal")
    try expectEqual(write(), .brokenPipe, "blocked and pending")
    try expectEqual(queue.take()?.signal, .brokenPipe, "the signal that was pending")
    try expectEqual(queue.take()?.signal, nil, "another one")
  }
  try expectEqual(write(), .brokenPipe, "blocked")
  try expectEqual(queue.take()?.signal, nil, "one of ours")
}
