import Glibc
import UnixIPC

// `spawn-begat true COUNT` or `spawn-begat capture BYTES`: prints the milliseconds it took.

let words = CommandLine.arguments
guard words.count == 3, let count = Int(words[2]) else { exit(64) }
let clock = ContinuousClock()
let start = clock.now
switch words[1] {
case "true":
  let program = Program(path: "/bin/true")
  for _ in 0..<count {
    guard try program.run(input: .null, output: .null, errors: .null).isSuccess else { exit(1) }
  }
default:
  let program = Program(path: "/usr/bin/head", arguments: ["-c", words[2], "/dev/zero"])
  let capture = try program.capture(errors: .null, limit: count)
  guard capture.isSuccess, capture.output.count == count else { exit(1) }
}
print((clock.now - start) / .milliseconds(1))
