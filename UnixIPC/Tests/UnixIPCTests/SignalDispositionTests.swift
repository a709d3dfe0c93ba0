import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct SignalDispositionTests {
  @Test("can be shown, and its function be looked at by nobody")
  func canBeShown() {
    var text = ""
    let all: [SignalDisposition] = [.default, .ignored, .counted, .handled { _ in }]
    dump(all, to: &text)
    #expect(text.contains("handled") && "\(all)" == "[default, ignored, counted, handled]")
    #expect(all.map { Mirror(reflecting: $0).children.count } == [0, 0, 0, 0])
  }

  @Test("is what was set, and cannot be set where the kernel forbids it")
  func isWhatWasSet() throws { try ProbeProgram.check("disposition-set") }

  @Test("counts and interrupts what waits")
  func countsAndInterrupts() throws { try ProbeProgram.check("disposition-counted") }

  @Test("counts and lets what waits go on, where that is wanted")
  func countsAndRestarts() throws { try ProbeProgram.check("disposition-restarted") }

  @Test("counts 3,000 real-time signals exactly")
  func countsAStorm() throws { try ProbeProgram.check("disposition-storm") }

  @Test("is put back on every way out of a scope")
  func isPutBack() throws { try ProbeProgram.check("disposition-scoped") }

  @Test("is put back to the last flag where it is a foreign handler")
  func isPutBackWhole() throws { try ProbeProgram.check("disposition-foreign") }
}
