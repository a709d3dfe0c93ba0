import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct SignalTests {
  @Test(
    "has the name that people type",
    arguments: [
      (.alarm, "SIGALRM"), (.child, "SIGCHLD"), (.hangUp, "SIGHUP"), (.interrupt, "SIGINT"), (.kill, "SIGKILL"),
      (.brokenPipe, "SIGPIPE"), (.quit, "SIGQUIT"), (.terminate, "SIGTERM"), (Signal(rawValue: 11), "SIGSEGV"),
      (.realTime(0)!, "SIGRTMIN"), (.realTime(1)!, "SIGRTMIN+1"), (Signal(rawValue: 64), "SIGRTMIN+30"),
      (Signal(rawValue: 0), "signal 0"), (Signal(rawValue: 65), "signal 65"), (Signal(rawValue: -1), "signal -1"),
    ] as [(Signal, String)])
  func hasItsName(signal: Signal, name: String) { #expect("\(signal)" == name) }

  @Test("says to whom it could not be sent")
  func saysToWhom() {
    #expect(throws: SystemCallError("kill", on: "2147483647", code: .noSuchProcess)) {
      try Signal.terminate.send(to: .max)
    }
  }

  @Test("is a real-time signal within bounds only")
  func isRealTimeWithinBounds() {
    #expect(Signal.realTime(0)?.rawValue == 34 && Signal.realTime(29)?.rawValue == 63)
    for offset in [-1, -2, 30, 31, .max, .min] { #expect(Signal.realTime(offset) == nil) }
    #expect(!Signal.all.contains(Signal(rawValue: 64)) && Signal(rawValue: 64).exists)
  }
}
