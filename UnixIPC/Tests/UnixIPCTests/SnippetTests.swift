import Testing

/// The programs of the documentation, run as a reader would.
@Suite(.timeLimit(.minutes(30))) struct SnippetTests {
  @Test(
    "runs to its end, and says what its page promises",
    arguments: [
      ("Signals", ["still here", "3 times SIGUSR1", "SIGRTMIN+3 with 3 from process", "received SIGHUP"]),
      ("TimeLimits", ["no lock within 50 ms: flock", "read: one line", "the lock is mine"]),
      (
        "Threads",
        [
          "cancelled: true", "no byte within 20 ms", "stopped by SIGTERM", "no fork: EDEADLK", "a program: exit 0",
        ]
      ),
      (
        "Processes", ["the sum is its exit status: exit 55", "20 of 20 reaped", "a stubborn one: [killed by SIGKILL]"]
      ),
      ("UntrustedBytes", ["port 8080: port 8080", #"refused: "x23y": not a number in digits"#, "there: hello there"]),
      ("Pipes", ["copied\n", "said: WORDS [exit 3, exit 0]", "cat:      2\tseven", ": Broken pipe"]),
      (
        "ComingFromPerl",
        [
          "SIGINT came 1 times", "too late: ", "3 children reaped", "one of 5 was killed by SIGKILL, and there are 5",
          "spooled: [exit 0, exit 3]", "status: tcp one", "magic: from a command", "commands are not allowed here",
          "execve /nowhere/bogus: No such file", "kid: with less rights, and for good", "cat:      1\tstuff exit 0",
          "expected: <Larry>", "signature: John Smith", "shared: Message #1", "the semaphore is taken",
          "told to end: read: Operation canceled", "1970 began at 2208988800",
          "ComingFromPerl: the end, and 100 bytes are let go of",
        ]
      ),
      ("SystemV", ["counted to 4000"]),
      ("Terminals", ["6 * 7 = 42", "bc ended: "]),
      ("Passing", ["a file and a pipe: 2 descriptors", "through the pipe: ", "not welcome: Message too long"]),
    ])
  func runs(name: String, lines: [String]) throws {
    let result = try ProbeProgram(name: name).run()
    #expect(result.status == .exited(code: 0), "\(result.output)")
    for line in lines { #expect(result.output.contains(line), "\(result.output)") }
  }
}
