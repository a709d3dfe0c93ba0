import Monitoring
import Testing

@testable import AgentService

@Suite struct AgentAnswerTests {
  private static func state(
    _ daemon: DaemonStatus.State, _ echo: ServiceStatus.State, _ time: ServiceStatus.State = .serving
  ) -> DaemonState {
    var state = DaemonState()
    state.state = daemon
    state.services = [ServiceState(name: "echo", state: echo), ServiceState(name: "time", state: time)]
    return state
  }

  @Test(
    "says ready only where clients are accepted and go on being so",
    arguments: [
      (.serving, .serving, "ready up 100%\n", "ready up 100%\n"),
      (.reloading, .serving, "ready up 100%\n", "ready up 100%\n"),
      (.announcing, .serving, "drain\n", "drain\n"),
      (.stopping, .serving, "drain\n", "drain\n"),
      (.stopping, .draining, "drain\n", "drain\n"),
      (.serving, .announcing, "drain\n", "drain\n"),
      (.serving, .draining, "drain\n", "drain\n"),
      (.serving, .drained, "drain\n", "drain\n"),
      // Clients wait in the backlog until the listener is there.
      (.serving, .starting, "# service echo is starting\n", "# service echo is starting\n"),
      (.stopping, .starting, "drain\n", "drain\n"),
      (.serving, .failed, "stopped # service echo has failed\n", "stopped # service echo has failed\n"),
      // A service that is ready gets clients, even if others are not ready yet.
      (.starting, .serving, "# begatd is starting\n", "ready up 100%\n"),
      // A failure does not end by itself, and the drain does not hide it.
      (.stopping, .failed, "stopped # service echo has failed\n", "stopped # service echo has failed\n"),
    ] as [(DaemonStatus.State, ServiceStatus.State, String, String)])
  func saysReady(daemon: DaemonStatus.State, echo: ServiceStatus.State, ofAll: String, ofEcho: String) {
    let state = Self.state(daemon, echo)
    #expect(AgentAnswer(state, of: []) { 100 }.line == ofAll)
    #expect(AgentAnswer(state, of: ["echo"]) { 100 }.line == ofEcho)
  }

  @Test("knows one service from the other")
  func knowsOneFromTheOther() {
    let state = Self.state(.serving, .drained, .failed)
    #expect(AgentAnswer(state, of: ["echo"]) { 1 }.line == "drain\n")
    #expect(AgentAnswer(state, of: ["time"]) { 1 }.line == "stopped # service time has failed\n")
    #expect(AgentAnswer(state, of: []) { 1 }.line == "stopped # service time has failed\n")
    #expect(AgentAnswer(state, of: ["nine"]) { 1 }.line == "stopped # no service nine is configured\n")
  }

  @Test("looks past a service that the configuration has given up")
  func looksPastLeaving() {
    var state = Self.state(.serving, .serving, .draining)
    state.services[1].isLeaving = true
    #expect(AgentAnswer(state, of: []) { 7 }.line == "ready up 7%\n")
    #expect(AgentAnswer(state, of: ["time"]) { 7 }.line == "stopped # no service time is configured\n")
    // Its successor of the same name is what counts.
    state.services.append(ServiceState(name: "time", state: .serving))
    #expect(AgentAnswer(state, of: ["time"]) { 7 }.line == "ready up 7%\n")
  }

  @Test("is one line of a bounded length that HAProxy understands")
  func isOneLine() {
    let reasons = (1...9).map { "service \($0) has failed" }
    #expect(
      AgentAnswer.stopped(reasons: reasons).line
        == "stopped # service 1 has failed; service 2 has failed; service 3 has failed; 6 more\n")
    // Without a word of a state nothing changes.
    #expect(AgentAnswer.unchanged(reason: "why").line == "# why\n")
  }
}
