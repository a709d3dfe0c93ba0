import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

private let soon = Duration.seconds(30)

private func isAlive(_ process: pid_t) -> Bool {
  guard let facts = try? contents("/proc/\(process)/stat"), let name = facts.lastIndex(of: ")") else { return false }
  return !facts[name...].hasPrefix(") Z") && !facts[name...].hasPrefix(") X")
}

/// Jobs of a shell with job control, each in a group of its own.
private func startJobs(_ conversation: inout TerminalConversation) throws -> [pid_t] {
  let deadline = Deadline(after: soon)
  try conversation.expect("ready ", until: deadline)
  try conversation.sendLine("sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & (trap '' TERM HUP; sleep 1002) & ")
  try conversation.sendLine("echo jobs: $(jobs -p) end")
  let match = try conversation.expect(.regex(#/jobs: ([0-9 ]+) end/#), until: deadline)
  let jobs = (match.capture(1) ?? "").split(separator: " ").compactMap { pid_t($0) }
  try expect(jobs.count == 3 && jobs.allSatisfy(isAlive), "jobs: \(match.text)")
  try expect(jobs.allSatisfy { getpgid($0) == $0 }, "jobs without groups")
  return jobs
}

func abandonedSearchesAreBounded(_ words: [String]) throws {
  var conversation = try TerminalConversation(shell("printf '%0200d' 0; sleep 60"))
  try conversation.expect("000", until: Deadline(after: soon))
  let cancellation = try Cancellation()
  cancellation.cancel()
  conversation.cancellation = cancellation
  var codes: [ErrorCode?] = []
  for _ in 0..<6 {
    let error = failure { () throws(ConversationError) in try conversation.expect(.regex(#/(0*)*b/#)) }
    if case .call(let error) = error { codes.append(error.code) }
  }
  try expectEqual(codes, [.canceled, .canceled, .canceled, .canceled, .wouldBlock, .wouldBlock], "errors")
  // Literals need no thread.
  conversation.cancellation = nil
  try expectEqual(conversation.expect("00", until: Deadline(after: soon)).text, "00", "a literal")
}

func sessionEndsWhole(_ words: [String]) throws {
  let interactive = Program(
    path: "/bin/bash", arguments: ["--norc", "--noprofile", "-i"],
    environment: ["PATH=/usr/bin:/bin", "PS1=ready ", "TERM=dumb", "HISTFILE=/dev/null"])
  var left: [pid_t] = []
  do {
    var conversation = try TerminalConversation(interactive) { $0.echoes = false }
    left = try startJobs(&conversation) + [conversation.process]
  }
  try expect(!left.contains(where: isAlive), "left by one that was dropped: \(left.filter(isAlive))")

  var ended = try TerminalConversation(interactive)
  left = try startJobs(&ended)
  let status = ended.terminate(gracePeriod: .seconds(1))
  try expectEqual(status, .killed(by: .hangUp, dumpedCore: false), "an interactive shell")
  try expect(!left.contains(where: isAlive), "left by one that was ended: \(left.filter(isAlive))")

  var leaving = try TerminalConversation(interactive)
  left = try startJobs(&leaving)
  try leaving.sendLine("exec true")
  try expectEqual(leaving.waitForExit(until: Deadline(after: soon)), .exited(code: 0), "one that left")
  try expect(!left.contains(where: isAlive), "left by one that ended itself: \(left.filter(isAlive))")

  var stubborn = try TerminalConversation(shell("trap '' TERM HUP; echo up; while :; do sleep 5; done"))
  try stubborn.expect("up", until: Deadline(after: soon))
  let begin = SystemClock.monotonic()
  try expectEqual(
    stubborn.terminate(gracePeriod: .milliseconds(400)), .killed(by: .kill, dumpedCore: false), "stubborn")
  let took = Double(SystemClock.monotonic() - begin) / 1e9
  try expect(took >= 0.4 && took < 5, "it took \(took) s")

  // Its last words fill the terminal's queue: whoever waits must read them.
  var talkative = try TerminalConversation(
    shell("trap 'head -c 300000 /dev/zero | tr \"\\\\0\" x; exit 3' TERM; echo up; while :; do sleep 0.01; done"))
  try talkative.expect("up", until: Deadline(after: soon))
  try expectEqual(talkative.terminate(), .exited(code: 3), "talkative")

  // After a time limit there is no grace, but an end.
  var late = try TerminalConversation(shell("trap '' TERM HUP; echo up; while :; do sleep 5; done"))
  try late.expect("up", until: Deadline(after: soon))
  let cut = try withDeadline(.immediate) { late.terminate() }
  try expectEqual(cut, .killed(by: .kill, dumpedCore: false), "after a time limit")
  try nothingToReap([])
}

func conversationsLeaveNoDescriptors(_ words: [String]) throws {
  func open() throws -> Int { try directoryCount("/proc/self/fd") }
  let before = try open()
  for round in 0..<20 {
    var conversation = try TerminalConversation(shell("echo up; cat"))
    try conversation.expect("up", until: Deadline(after: soon))
    if round % 2 == 0 { _ = conversation.terminate() }
  }
  for _ in 0..<5 {
    let missing = failure { () throws(SystemCallError) in
      try TerminalConversation(Program(path: "/nowhere"))
    }
    try expectEqual(
      missing, SystemCallError("execve", on: "/nowhere", code: .noSuchFileOrDirectory), "a missing program")
    let null = try Descriptor.open("/dev/null", .readWrite)
    var conversation = try TerminalConversation(shell("exit 4"))
    try expectEqual(conversation.interact(input: null, output: null), .ended(.exited(code: 4)), "interact")
  }
  try expectEqual(try open(), before, "descriptors")
  try nothingToReap([])
}

private func directoryCount(_ path: String) throws -> Int {
  guard let directory = opendir(path) else { throw Wrong(description: path) }
  defer { closedir(directory) }
  var count = 0
  while readdir(directory) != nil { count += 1 }
  return count
}

/// 64 MiB out, while 4 MiB go in: each side's checksum as python3 sees it.
func floodPassesWhole(_ words: [String]) throws {
  let script = """
    import os, sys, zlib, threading
    total = 64 << 20
    got = 0
    def take():
        global got
        rest = 4 << 20
        while rest:
            data = os.read(0, min(rest, 65536))
            rest -= len(data)
            got = zlib.crc32(data, got)
    thread = threading.Thread(target=take)
    thread.start()
    piece = bytes(range(256)) * 256 + b'.'
    sent = 0
    crc = 0
    while sent < total:
        data = piece[:total - sent]
        crc = zlib.crc32(data, crc)
        sent += len(data)
        while data:
            data = data[os.write(1, data):]
    thread.join()
    os.write(1, b'%08x %08x' % (crc, got))
    """
  let program = Program(path: "/usr/bin/python3", arguments: ["-c", script])
  var conversation = try TerminalConversation(program, bufferLimit: 1 << 26) { $0 = $0.raw }
  let deadline = Deadline(after: .seconds(45))
  let total = 64 << 20
  var random: UInt32 = 1
  var sent = Checksum()
  var received = Checksum()
  var tail: [UInt8] = []
  var count = 0
  let begin = SystemClock.monotonic()
  var chunks = 0
  while true {
    if chunks < 64 {
      let chunk = (0..<65536).map { _ in
        random = random &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: random >> 24)
      }
      sent.add(chunk[...])
      try conversation.send(chunk, until: deadline)
      chunks += 1
    }
    let bytes = try conversation.read(until: deadline)
    if bytes.isEmpty { break }
    let part = bytes.prefix(max(0, total - count))
    received.add(part)
    tail += bytes.dropFirst(part.count)
    count += bytes.count
  }
  let seconds = Double(SystemClock.monotonic() - begin) / 1e9
  try expectEqual(conversation.droppedByteCount, 0, "dropped")
  try expectEqual(count, total + 17, "bytes")
  try expectEqual(String(decoding: tail, as: UTF8.self), "\(received.text) \(sent.text)", "checksums")
  try expectEqual(conversation.waitForExit(until: deadline), .exited(code: 0), "status")
  if words.first == "measure" { say("\(64 / seconds) MiB/s with checksums") }
}

/// CRC-32 as zlib has it.
private struct Checksum {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
  }
  private var value: UInt32 = .max

  mutating func add(_ bytes: ArraySlice<UInt8>) {
    let table = Checksum.table
    var value = value
    bytes.withUnsafeBufferPointer { bytes in
      table.withUnsafeBufferPointer { table in
        for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 0xff)] ^ value >> 8 }
      }
    }
    self.value = value
  }

  var text: String {
    let digits = String(~value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
