// A lock that another process holds, and a program that does not wait forever.
import Glibc
import UnixIPC

CommandLineProgram.run {
  let path = "/tmp/unixipc-time-limits-\(getpid())"
  let mine = try Descriptor.open(path, [.readWrite, .create])
  defer { unlink(path) }

  // The other process: a second open file of the same name.
  let other = try Descriptor.open(path, .readWrite)
  try other.lock(.exclusive)

  // Any blocking call, or several together, under one deadline.
  do {
    try withDeadline(after: .milliseconds(50)) { try mine.lock(.exclusive) }
  } catch let error as SystemCallError {
    guard error.code == .timedOut else { throw error }
    print("no lock within 50 ms: \(error)")
  }

  // Deadlines nest; the nearest one holds.  The body's own errors are passed on unchanged.
  do {
    try withDeadline(after: .seconds(5)) {
      try withDeadline(after: .milliseconds(10)) { try mine.lock(.shared) }
    }
  } catch { print("the inner one: \(error)") }

  // Calls that wait take a deadline themselves, and many of them may share one.
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

  // `.immediate` takes what is there, and does not wait.
  do {
    let ends = try PipeEnds()
    print("readable now: \(ends.readEnd.wait(for: .readable, until: .immediate))")
  }

  // Instants for people: perl's `scalar localtime`, and ISO 8601.
  if let start = LocalTime(secondsSince1970: 0) { print("\(start) is \(start.iso8601)") }

  try other.unlock()
  try mine.lock(.exclusive, until: Deadline(after: .seconds(1)))
  print("the lock is mine")
}
