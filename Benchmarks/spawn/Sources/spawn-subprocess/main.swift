import Subprocess

// `spawn-subprocess true COUNT` or `spawn-subprocess capture BYTES`: prints the milliseconds it took.

let words = CommandLine.arguments
guard words.count == 3, let count = Int(words[2]) else { fatalError("usage") }
let clock = ContinuousClock()
let time = try await clock.measure {
  switch words[1] {
  case "true":
    for _ in 0..<count {
      let result = try await run(.path("/bin/true"), input: .none, output: .discarded, error: .discarded)
      precondition(result.terminationStatus.isSuccess)
    }
  default:
    let result = try await run(
      .path("/usr/bin/head"), arguments: ["-c", words[2], "/dev/zero"], input: .none, output: .bytes(limit: count),
      error: .discarded)
    precondition(result.terminationStatus.isSuccess && result.standardOutput.count == count)
  }
}
print(time / .milliseconds(1))
