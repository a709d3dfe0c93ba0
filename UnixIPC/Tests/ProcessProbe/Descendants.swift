import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let descendantSubcommands: Subcommands = [
  "descendants": descendantsAreFound,
  "descendants-end": descendantsAreEnded,
  "descendants-late": descendantsAreEndedWithoutTime,
  "descendants-asked-once": descendantsAreAskedOnce,
  "descendants-without-first-thread": descendantsWithoutFirstThreadAreEnded,
]

/// A child, a child of it, one in a session of its own, and one that has lost its parent.
private func family(_ beginning: String = ":") throws -> [pid_t] {
  let member = "\(beginning); echo $$; while :; do sleep 100; done"
  let script = """
    \(beginning); echo $$; export MEMBER="\(member.replacing("$", with: "\\$"))"
    sh -c "$MEMBER" & setsid sh -c "$MEMBER" & (sh -c "$MEMBER" &); while :; do wait; sleep 100; done
    """
  let ends = try PipeEnds()
  let reading = ends.readEnd
  _ = try shell(script).start(descriptors: [STDIN_FILENO, ends.writeEnd.number, STDERR_FILENO])
  _ = consume ends.writeEnd
  var reader = BufferedReader(reading)
  var numbers: [pid_t] = []
  while numbers.count < 4, let line = try text(reader.readLine(until: Deadline(after: .seconds(20)))) {
    numbers += [pid_t(line)].compactMap { $0 }
  }
  try expectEqual(numbers.count, 4, "processes")
  return numbers
}

func descendantsAreFound(_ words: [String]) throws {
  try Descendants.adoptOrphans()
  try expectEqual(Descendants.all, [], "before anything was started")
  let family = try family()
  try expect(Set(Descendants.all).isSuperset(of: family), "\(family) are not all of \(Descendants.all)")
  try expect(Descendants.terminate(), "some are left")
  try expectEqual(Descendants.all, [], "after their end")
  for process in family { try expectEqual(Liveness(of: process), .gone, "\(process)") }
}

func descendantsAreEnded(_ words: [String]) throws {
  try Descendants.adoptOrphans()
  let family = try family("trap '' TERM")
  let start = SystemClock.monotonic()
  try expect(Descendants.terminate(gracePeriod: .milliseconds(200)), "some are left")
  try expect(SystemClock.monotonic() - start >= 200_000_000, "nobody was given time")
  for process in family { try expectEqual(Liveness(of: process), .gone, "\(process)") }
  // With nobody to end there is nothing to wait for.
  try expect(Descendants.terminate(gracePeriod: .seconds(40)), "nobody is left")
}

/// A deadline of the thread that has passed leaves no time to wait, but does not let them live.
func descendantsAreEndedWithoutTime(_ words: [String]) throws {
  try Descendants.adoptOrphans()
  let family = try family("trap '' TERM")
  _ = try withDeadline(.immediate) { Descendants.terminate(gracePeriod: .seconds(40)) }
  let deadline = Deadline(after: .seconds(20))
  for process in family {
    guard let handle = try? ProcessHandle(process) else { continue }
    try expect(handle.waitForExit(until: deadline), "\(process) lives")
  }
}

/// Whoever gets a new parent meanwhile is the same process still.
func descendantsAreAskedOnce(_ words: [String]) throws {
  try Descendants.adoptOrphans()
  let ends = try PipeEnds()
  let reading = ends.readEnd
  // The parent ends when its child has heard the first one.
  let script = """
    pipe($r, $w); if (!fork) { $SIG{TERM} = sub { print STDERR "asked\\n"; syswrite($w, "x") };
    print STDERR "ready\\n"; sleep 100 while 1 } $SIG{TERM} = sub { sysread($r, $_, 1); exit }; sleep 100 while 1
    """
  _ = try Program(path: "/usr/bin/perl", arguments: ["-e", script])
    .start(descriptors: [STDIN_FILENO, STDOUT_FILENO, ends.writeEnd.number])
  _ = consume ends.writeEnd
  var reader = BufferedReader(reading)
  let deadline = Deadline(after: .seconds(20))
  try expectEqual(try text(reader.readLine(until: deadline)), "ready", "the child")
  try expect(Descendants.terminate(gracePeriod: .seconds(1)), "some are left")
  var lines: [String] = []
  while let line = try text(reader.readLine(until: deadline)) { lines.append(line) }
  try expectEqual(lines, ["asked"], "what the child heard")
}

/// The kernel shows such a process as a zombie.
func descendantsWithoutFirstThreadAreEnded(_ words: [String]) throws {
  try Descendants.adoptOrphans()
  let script = """
    import ctypes, os, threading, time
    def go_on():
        while "zombie" not in open("/proc/self/status").read(): time.sleep(0.01)
        os.write(1, b"alone\\n")
        threading.Event().wait()
    threading.Thread(target=go_on).start()
    ctypes.CDLL(None).pthread_exit(None)
    """
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let process = try Program(
    path: "/usr/bin/env", arguments: ["python3", "-c", script], environment: .inherited
  ).start(descriptors: [STDIN_FILENO, ends.writeEnd.number, STDERR_FILENO])
  _ = consume ends.writeEnd
  var reader = BufferedReader(reading)
  try expectEqual(
    try text(reader.readLine(until: Deadline(after: .seconds(20)))), "alone", "the process")
  try expectEqual(Descendants.all, [process], "before the end")
  try expect(Descendants.terminate(gracePeriod: .seconds(1)), "some are left")
  try expectEqual(Liveness(of: process), .gone, "the process")
}
