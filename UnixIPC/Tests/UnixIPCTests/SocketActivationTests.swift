import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct SocketActivationTests {
  @Test("takes what was passed to this process and believes no wrong number")
  func takesWhatWasPassed() throws { try ProbeProgram.check("activation") }

  @Test("shows a strange count as one line")
  func showsAStrangeCount() {
    #expect(
      "\(SocketActivation.ActivationError.badCount("1\n\u{1b}"))"
        == "LISTEN_FDS=1\\x0a\\x1b: not a number of descriptors")
    #expect(
      "\(SocketActivation.ActivationError.notOpen(4))" == "LISTEN_FDS: descriptor 4 was announced and is not open")
  }
}
