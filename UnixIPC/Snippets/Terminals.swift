// Talks to bc(1) as a user would: bc sees a terminal, so it answers each line immediately.
import UnixIPC

CommandLineProgram.run {
  let program = Program(path: "/usr/bin/bc", arguments: ["-q"], environment: ["TERM=dumb"])
  var calculator = try TerminalConversation(program) { $0.echoes = false }

  for sum in ["6 * 7", "2 ^ 64", "1 / 0"] {
    let deadline = Deadline(after: .seconds(5))
    try calculator.sendLine(sum, until: deadline)
    let answer = try calculator.expect(
      [.regex(#/(\d+)\r?\n/#), .regex(#/error.*: (.+?)\r?\n/#), .timeOut], until: deadline)
    switch answer.index {
    case 0: print("\(sum) = \(answer.capture(1) ?? "")")
    case 1: print("\(sum): \(answer.capture(1) ?? "")")
    default: print("\(sum): no answer in time")
    }
  }

  // SIGTERM, then SIGHUP, then SIGKILL: nobody of bc's session is left.
  let status = calculator.terminate(gracePeriod: .seconds(2))
  print("bc ended: \(status)")
}
