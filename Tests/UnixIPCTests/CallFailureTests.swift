import Testing
import UnixIPC

@Suite struct CallFailureTests {
  @Test("reads as the log line")
  func readsAsTheLogLine() {
    let failure = CallFailure("bind", on: "127.0.0.1:80", errno: .permissionDenied)
    #expect("\(failure)" == "bind 127.0.0.1:80: Permission denied")
    #expect("\(CallFailure("socket", errno: .noMemory))" == "socket: Cannot allocate memory")
  }
}
