// A lock that somebody else has, and no patience to wait for ever.
import Glibc
import UnixIPC

let path = "/tmp/unixipc-time-limits-\(getpid())"
let mine = try Descriptor.open(path, [.readWrite, .create])
defer { unlink(path) }

// Somebody else: a second open file of the same name.
let other = try Descriptor.open(path, .readWrite)
try other.lock(.exclusive)

// Any blocking call, or several together, under one deadline.
do {
  try withDeadline(after: .milliseconds(50)) { try mine.lock(.exclusive) }
} catch let error as SystemCallError where error.code == .timedOut {
  print("no lock within 50 ms: \(error)")
}

// Deadlines are nested; the nearest one holds.  Errors of the body's own come out as they are.
do {
  try withDeadline(after: .seconds(5)) {
    try withDeadline(after: .milliseconds(10)) { try mine.lock(.shared) }
  }
} catch { print("the inner one: \(error)") }

// Calls that wait by themselves take a deadline, and many of them may share it.
do {
  let deadline = Deadline(after: .milliseconds(100))
  let ends = try PipeEnds()
  var reader = BufferedReader(ends.readEnd)
  try ends.writeEnd.writeAll("one line\nand a half")
  while true {
    do throws(SystemCallError) {
      guard let line = try reader.readLine(until: deadline) else { break }
      print("read: \(String(decoding: line, as: UTF8.self))")
    } catch {
      print("the rest is missing: \(error), \(reader.waitingCount) bytes wait")
      break
    }
  }
}

try other.unlock()
try mine.lock(.exclusive, until: Deadline(after: .seconds(1)))
print("the lock is mine")
