import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

/// A server and readers that have all opened the same FIFO when it starts to serve; how many texts each has got.
private func textsOfReaders(at path: String, _ readers: [(CInt) throws -> [UInt8]]) throws -> [Int] {
  let gate = try PipeEnds()
  let wait = gate.readEnd
  let go = gate.writeEnd.release()
  let ends = try PipeEnds()
  let ready = ends.readEnd
  let tell = ends.writeEnd
  // They start before the server, of which they would hold the writing end otherwise.
  let opened = try readers.map { read in
    try forked {
      Glibc.close(go)
      _ = try readBytes(1, from: wait)
      let reader = try Descriptor.open(path, .readOnly)
      try tell.writeAll("o")
      guard let got = textNumbers(try read(reader.number)) else { return 50 }
      return CInt(got.count)
    }
  }
  var server = try FIFOServer(at: path)
  Glibc.close(go)
  try expectEqual(try readBytes(readers.count, from: ready).count, readers.count, "open FIFOs")
  var number = 0
  let deadline = Deadline(after: .seconds(20))
  while number < readers.count, !deadline.isExpired {
    _ = try server.serve(until: deadline) { () -> [UInt8] in
      number += 1
      return Array("text \(number)\n".utf8)
    }
  }
  return try opened.map {
    guard case .exited(let code) = try Children.wait(for: $0) else { return -1 }
    return Int(code)
  }
}

private func readAll(_ number: CInt) throws -> [UInt8] { try readBytes(.max, from: Descriptor(owning: dup(number))) }

/// One computes for a while between its opening and its reading, as one does that gets no processor.
func readerThatRunsFirstGetsItsText(_ words: [String]) throws {
  func readLater(_ number: CInt) throws -> [UInt8] {
    let start = Deadline(after: .milliseconds(100))
    while !start.isExpired {}
    return try readAll(number)
  }
  for (turn, readers) in [[readLater, readAll], [readAll, readLater], [readLater, readAll, readLater]].enumerated() {
    let texts = try textsOfReaders(at: words[0] + "/busy", readers)
    try expectEqual(texts, readers.map { _ in 1 }, "texts of each, turn \(turn)")
  }
}

/// A process and its child have one opening: one text for both.
func readerHeldByTwoProcessesCountsOnce(_ words: [String]) throws {
  func readByChild(_ number: CInt) throws -> [UInt8] {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let child = try forked {
      let bytes = try readAll(number)
      try bytes.withUnsafeBytes { bytes throws in try writing.writeAll(bytes) }
      return 0
    }
    _ = consume writing
    let bytes = try readBytes(.max, from: reading)
    try expectEqual(try Children.wait(for: child), .exited(code: 0), "the child")
    return bytes
  }
  let texts = try textsOfReaders(at: words[0] + "/held", [readByChild, readAll, readByChild])
  try expectEqual(texts, [1, 1, 1], "texts of each")
}

/// One looks up the path before another is served, and opens what it has found afterwards.
func lateReaderGetsItsText(_ words: [String]) throws {
  let path = words[0] + "/late"
  let gate = try PipeEnds()
  let wait = gate.readEnd
  let go = gate.writeEnd.release()
  let ends = try PipeEnds()
  let ready = ends.readEnd
  let tell = ends.writeEnd
  let start = try PipeEnds()
  let started = start.readEnd
  let begin = start.writeEnd.release()
  // They start before the server, of which they would hold the writing end otherwise.
  let late = try forked {
    Glibc.close(go)
    Glibc.close(begin)
    _ = try readBytes(1, from: started)
    let found = open(path, 0x20_0000 | O_CLOEXEC)
    try tell.writeAll("f")
    _ = try readBytes(1, from: wait)
    return try readBytes(.max, from: Descriptor.open("/proc/self/fd/\(found)", .readOnly)) == [66] ? 0 : 1
  }
  let first = try forked {
    Glibc.close(go)
    Glibc.close(begin)
    _ = try readBytes(1, from: started)
    return try readBytes(.max, from: Descriptor.open(path, .readOnly)) == [65] ? 0 : 1
  }
  var server = try FIFOServer(at: path)
  Glibc.close(begin)
  try expectEqual(try readBytes(1, from: ready).count, 1, "one that has found the FIFO")
  let deadline = Deadline(after: .seconds(20))
  try expectEqual(try server.serve(until: deadline) { [65] }, 1, "texts for the first")
  try expectEqual(try Children.wait(for: first), .exited(code: 0), "the first")
  Glibc.close(go)
  // Its opening waits for a writer then, and the server looks for such ones when it serves.
  var state = ""
  while !state.contains(") S "), !deadline.isExpired {
    sched_yield()
    state = try contents("/proc/\(late)/stat")
  }
  try expectEqual(try server.serve(until: deadline) { [66] }, 1, "texts for the late one")
  try expectEqual(try Children.wait(for: late), .exited(code: 0), "the late one")
}
