import Glibc
import UnixIPC

let descendantSubcommands: Subcommands = [
  "descendants": descendantsAreFound,
  "descendants-end": descendantsAreEnded,
]

/// A child, a child of it, one in a session of its own, and one that has lost its parent.
private func family(_ beginning: String = ":") throws -> [pid_t] {
  let member = "\(beginning); echo $$; while :; do sleep 100; done"
  let script = """
    \(beginning); echo $$; export MEMBER="\(member.replacing("$", with: "\\$"))"
    sh -c "$MEMBER" & setsid sh -c "$MEMBER" & (sh -c "$MEMBER" &); while :; do wait; sleep 100; done
    """
  let ends = try Pipe.open()
  let reading = ends.reading
  _ = try shell(script).start(descriptors: [STDIN_FILENO, ends.writing.number, STDERR_FILENO])
  _ = consume ends.writing
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
  try expect(Descendants.end(), "some are left")
  try expectEqual(Descendants.all, [], "after their end")
  for process in family { try expectEqual(Liveness(of: process), .gone, "\(process)") }
}

func descendantsAreEnded(_ words: [String]) throws {
  try Descendants.adoptOrphans()
  let family = try family("trap '' TERM")
  let start = Clock.monotonic()
  try expect(Descendants.end(patience: .milliseconds(200)), "some are left")
  try expect(Clock.monotonic() - start >= 200_000_000, "nobody was given time")
  for process in family { try expectEqual(Liveness(of: process), .gone, "\(process)") }
  // With nobody to end there is nothing to wait for.
  try expect(Descendants.end(patience: .seconds(40)), "nobody is left")
}
