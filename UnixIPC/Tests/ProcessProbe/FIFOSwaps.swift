import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

/// DIRECTORY COUNT [figures]: another process puts a file or a link in the FIFO's place all the time, COUNT FIFOs long.
func swappedFilesStay(_ words: [String]) throws {
  let directory = words[0]
  let count = Int(words[1]) ?? 100
  let path = directory + "/fifo"
  let start = SystemClock.monotonic()
  try Descriptor.open(directory + "/foreign", [.writeOnly, .create]).writeAll("foreign")
  symlink("foreign", directory + "/link")
  let memory = try MemoryMapping.shared(size: 4096)
  let numbers = memory.unsafeBytes.bindMemory(to: Int.self)
  let swapper = try ChildProcess(owning: swapping(directory, path, numbers))
  let deadline = Deadline(after: .seconds(20))
  var made = 0
  var written = 0
  while made < count || written == 0, !deadline.isExpired {
    do throws(FIFO.OpenError) {
      let fifo = try FIFO.makeOrAdopt(at: path)
      made += 1
      // So that there is a reader, where it is the FIFO that stands there.
      let reader = open(path, O_RDONLY | O_NONBLOCK)
      if reader != -1 {
        if writeText(to: fifo) { written += 1 }
        Glibc.close(reader)
      }
      fifo.removeIfOurs()
    } catch {
      if case .call(let failure) = error, failure.code != .noSuchFileOrDirectory, failure.code != .fileExists {
        throw error
      }
    }
  }
  numbers[2] = 1
  try expectEqual(try swapper.waitForExit(), .exited(code: 0), "the swapper")
  if words.count > 2 {
    say(
      "\(made) made, \(written) written to, \(numbers[0]) files and \(numbers[1]) links put there, "
        + "\(Double(SystemClock.monotonic() - start) / 1e9) s")
  }
  try expect(made >= count && written > 0, "\(made) FIFOs made, \(written) written to")
  try expect(numbers[0] > 0 && numbers[1] > 0, "nothing was ever put there")
  try expectEqual(try contents(directory + "/foreign"), "foreign", "the file")
  // Each name that the swapper gave them is there still.
  try expectEqual(Int(try facts(directory + "/foreign").st_nlink), numbers[0] + 1, "names of the file")
  try expectEqual(Int(try facts(directory + "/link").st_nlink), numbers[1] + 1, "names of the link")
}

/// Moves away what is at the path, replacing nothing, and puts another name of the file or the link there.
private func swapping(_ directory: String, _ path: String, _ numbers: UnsafeMutableBufferPointer<Int>) throws -> pid_t {
  let parent = getpid()
  return try forked {
    _ = try ProcessControl.setParentDeathSignal(.kill, parent: parent)
    var turn = 0
    while numbers[2] == 0 {
      turn += 1
      let kind = turn % 2
      if link(directory + (kind == 0 ? "/foreign" : "/link"), path) == 0 { numbers[kind] += 1 }
      rename(path, "\(directory)/away-\(turn)")
    }
    return 0
  }
}

private func writeText(to fifo: borrowing FIFO) -> Bool {
  do {
    let writer = try fifo.openForWriting(until: .immediate)
    try writer.writeAll("text")
    return true
  } catch { return false }
}

private func facts(_ path: String) throws -> stat {
  var facts = stat()
  try expect(lstat(path, &facts) == 0, "\(path) is gone")
  return facts
}
