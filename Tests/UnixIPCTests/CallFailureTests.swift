import Testing
import UnixIPC

@Suite struct CallFailureTests {
  @Test("reads as the log line")
  func readsAsTheLogLine() {
    let failure = CallFailure("bind", on: "127.0.0.1:80", errno: .permissionDenied)
    #expect("\(failure)" == "bind 127.0.0.1:80: Permission denied")
    #expect("\(CallFailure("socket", errno: .noMemory))" == "socket: Cannot allocate memory")
  }

  @Test("is one line and moves no cursor, whatever it was tried on")
  func isOneLine() {
    let failure = CallFailure("open", on: "/a\u{1b}[2J\nb\u{9b}é\\", errno: .noSuchFile)
    #expect(failure.description == "open /a\\x1b[2J\\x0ab\\xc2\\x9b\\xc3\\xa9\\: No such file or directory")
    #expect(CallFailure("open", on: "/é", errno: .noSuchFile).description == "open /é: No such file or directory")
  }
}
