import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct SystemCallErrorTests {
  @Test("reads as the log line")
  func readsAsTheLogLine() {
    let failure = SystemCallError("bind", on: "127.0.0.1:80", code: .permissionDenied)
    #expect("\(failure)" == "bind 127.0.0.1:80: Permission denied")
    #expect("\(SystemCallError("socket", code: .noMemory))" == "socket: Cannot allocate memory")
  }

  @Test("is one line and moves no cursor, whatever it was tried on")
  func isOneLine() {
    let failure = SystemCallError("open", on: "/a\u{1b}[2J\nb\u{9b}é\\", code: .noSuchFileOrDirectory)
    #expect(failure.description == "open /a\\x1b[2J\\x0ab\\xc2\\x9b\\xc3\\xa9\\: No such file or directory")
    #expect(
      SystemCallError("open", on: "/é", code: .noSuchFileOrDirectory).description
        == "open /é: No such file or directory")
  }
}
