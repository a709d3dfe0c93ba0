import Testing
import UnixCore

@Suite(.timeLimit(.minutes(30))) struct SignalDescriptorTests {
  @Test("receives in whichever thread a signal arrives, whatever its mask")
  func receivesInAnyThread() throws { try ProbeProgram.check("receiver-threads") }

  @Test("receives in a program with an asynchronous main")
  func receivesBesideTasks() throws {
    let result = try ProbeProgram(name: "async-probe").run()
    #expect(result == ProbeProgram.Result(output: "", status: .exited(code: 0)))
  }

  @Test("receives what was blocked when the program started")
  func receivesWhatWasBlocked() throws { try ProbeProgram.check("receiver-blocked") }

  @Test("loses no signal when its pipe is full")
  func losesNone() throws { try ProbeProgram.check("receiver-full") }

  @Test("restores the former dispositions, and is alone with its signals")
  func restores() throws { try ProbeProgram.check("receiver-restores") }

  @Test("refuses what cannot be received, and then changes nothing")
  func refuses() throws { try ProbeProgram.check("receiver-refuses") }

  @Test("is none in a forked process, which may make its own")
  func isNoneInACopy() throws { try ProbeProgram.check("receiver-forks") }

  @Test("lets interrupted calls go on, and errno as it was")
  func restartsCalls() throws { try ProbeProgram.check("receiver-calls") }

  @Test("writes into no stranger's descriptor while it is dropped")
  func closesCleanly() throws { try ProbeProgram.check("receiver-closing") }
}
