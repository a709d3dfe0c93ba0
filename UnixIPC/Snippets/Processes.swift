// Children that are forked, reaped, ended, and never left behind.
import Glibc
import UnixIPC

// A closure in a process of its own.  A process with threads would be told why it must not fork.
print("the sum is its exit status:", try ForkedProcess.run { (1...10).reduce(0, +) }.waitForExit())

// Twenty at once; one SIGCHLD may stand for many of them, so all that have ended are reaped.
for code: CInt in 0..<20 { _ = try ForkedProcess.run { code }.release() }
var reaped = 0
while reaped < 20 { reaped += try Children.reapAll(until: .never).count }
print("\(reaped) of 20 reaped")

// Told to end, a child has time to obey; then it is killed, with its group.
do {
  var sleeper = Program(
    path: "/bin/sh", arguments: ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
  sleeper.leadsGroup = true
  var output = try sleeper.openForReading()
  _ = try output.readLine()
  print("a stubborn one:", output.terminate(gracePeriod: .milliseconds(100)))
}

// A supervisor of three: whichever ends is started again.
do {
  var workers = ChildProcesses()
  let worker = Program(path: "/bin/sleep", arguments: ["60"])
  for _ in 0..<3 { workers.add(try worker.spawn()) }
  workers.send(.kill, to: workers.processes[1])
  if let ended = try workers.waitForAny(until: Deadline(after: .seconds(5))) {
    workers.add(try worker.spawn())
    print("a worker was \(ended.status); \(workers.count) are running")
  }
  workers.terminate()
}

// The caller's variables with some changes, and a descriptor that the program has as its 3.
do {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let program = try Program(
    named: "sh", arguments: ["-c", "echo $GREETING >&3"], environment: .inherited.updating(["GREETING": "hello"]))
  try program.spawn(passing: DescriptorList(ends.writeEnd)).waitForExit()
  print("passed:", String(decoding: try reading.readPrefix(100), as: UTF8.self), terminator: "")
}

// A handle means this process forever, whichever process has its number later.
do {
  let child = try Program(path: "/bin/sleep", arguments: ["60"]).spawn()
  let handle = try ProcessHandle(child.process)
  try handle.send(.terminate)
  print("ended within a second:", handle.waitForExit(until: Deadline(after: .seconds(1))))
}

// As somebody else, for good: groups before user, verified.
if Identity.effective.user == 0 {
  let nobody = ForkedProcess.Options(identity: Identity(user: 65534, group: 65534))
  let status = try ForkedProcess.run(nobody) { getuid() == 65534 && setuid(0) == -1 ? 0 : 1 }.waitForExit()
  print("as nobody, and never again as root:", status)
}

// As the user who has started it, which needs no privileges: the way back of a set-user-ID program is given up.
try ForkedProcess.run(.init(identity: .real)) { Identity.effective == .real ? 0 : 1 }
  .waitForExit().checkSuccess(of: "the child without privileges")
