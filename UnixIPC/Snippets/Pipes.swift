// Programs that are read from, written to, and spoken with; no shell anywhere.
import Glibc
import UnixIPC

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

// Backticks with bounds: no more than a megabyte, no longer than ten seconds.
let uname = try Program(path: "/bin/uname", arguments: ["-s"])
  .capture(limit: 1 << 20, until: Deadline(after: .seconds(10)))
print("uname:", text(uname.output), terminator: "")

// open(FH, "cmd |"): line by line, with a status at the end.
do {
  var listing = try Program(path: "/bin/ls", arguments: ["/"]).openForReading()
  var names = 0
  while try listing.readLine() != nil { names += 1 }
  print("\(names) names,", try listing.close())
}

// while (<FH>) { print }: all of a program's output, moved by the kernel, and an error unless the program succeeds.
do {
  let echo = Program(path: "/bin/echo", arguments: ["copied"])
  var input = try echo.openForReading()
  // What was printed comes first.
  fflush(nil)
  try input.copyAll(to: StandardStreams.output)
  try input.close().checkSuccess(of: echo)
}

// A pipeline tells how every stage ended, not the last one alone.
do {
  let stages = Pipeline(
    Program(path: "/bin/sh", arguments: ["-c", "echo words; exit 3"]),
    Program(path: "/usr/bin/tr", arguments: ["a-z", "A-Z"]))
  var shout = try stages.openForReading()
  print("said:", text(try shout.readLine() ?? []), try shout.closeStages())
}

// open(KID, "-|"): a copy of this process whose output is read here.
do {
  var kid = try ForkedProcess.openForReading { output in
    try output.writeAll("\(getppid() == 1 ? "nobody's" : "somebody's") child\n")
    return 0
  }
  print("kid:", text(try kid.readLine() ?? []), try kid.close())
}

// open2: a conversation, which no full pipe can bring to a standstill.
do {
  var calculator = try Conversation(with: Program(path: "/bin/cat", arguments: ["-n"]))
  try calculator.send("six\nseven\n")
  calculator.endInput()
  while let line = try calculator.readLine() { print("cat:", text(line)) }
  print("cat:", try calculator.close())
}

// What Perl finds out when it is too late: a program that is not there, and a reader that is gone.
do { _ = try Program(path: "/nowhere/bogus").openForWriting() } catch { print(error) }
do {
  let deaf = try Program(path: "/bin/true").openForWriting()
  do throws(SystemCallError) { try deaf.write([UInt8](repeating: 0, count: 1 << 20)) } catch { print("write:", error) }
}
