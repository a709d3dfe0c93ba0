// Children that are forked, fetched, ended, and never left behind.
import Glibc
import UnixIPC

// A closure in a process of its own.  A process with threads would be told why it must not fork.
print("the sum is its exit status:", try ForkedProcess.run { (1...10).reduce(0, +) }.waitForExit())

// Twenty at once; one SIGCHLD may stand for many of them, so all that have ended are fetched.
for code: CInt in 0..<20 { _ = try ForkedProcess.run { code }.release() }
var fetched = 0
while fetched < 20 { fetched += try Children.reapAll(until: .never).count }
print("\(fetched) of 20 fetched")

// Told to end, a child has time to obey; then it is killed, with its group.
do {
  var sleeper = Program(
    path: "/bin/sh", arguments: ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
  sleeper.leadsGroup = true
  var output = try sleeper.openForReading()
  _ = try output.readLine()
  print("a stubborn one:", output.terminate(gracePeriod: .milliseconds(100)))
}

// A handle means this process for ever, whoever has its number later.
let child = try Program(path: "/bin/sleep", arguments: ["60"]).spawn()
let handle = try ProcessHandle(child.process)
try handle.send(.terminate)
print("ended within a second:", handle.waitForExit(until: Deadline(after: .seconds(1))))

// As somebody else, for good: groups before user, verified.
if Identity.effective.user == 0 {
  let nobody = ForkedProcess.Options(identity: Identity(user: 65534, group: 65534))
  let status = try ForkedProcess.run(nobody) { getuid() == 65534 && setuid(0) == -1 ? 0 : 1 }.waitForExit()
  print("as nobody, and never again as root:", status)
}
