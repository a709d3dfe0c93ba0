import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct TerminalSettingsTests {
  /// What stty(1) says of the terminal.
  private func stty(_ terminal: borrowing Descriptor) throws -> [String] {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let child = try Program(path: "/bin/stty", arguments: ["-a"]).start(
      descriptors: [terminal.number, writing.number, writing.number])
    _ = consume writing
    let text = try String(decoding: reading.readToEnd(), as: UTF8.self)
    #expect(try Children.wait(for: child).isSuccess)
    return text.split { $0.isWhitespace || $0 == ";" }.map(String.init)
  }

  @Test("are what stty shows, from either side")
  func areWhatSttyShows() throws {
    let terminal = try PseudoTerminal()
    let side = try terminal.openTerminalSide()
    var settings = try TerminalSettings(of: side)
    #expect(settings.echoes && settings.readsLines && settings.sendsSignals && settings.endsLinesWithReturn)
    let fromOther = try TerminalSettings(of: terminal.controlling)
    #expect(settings == fromOther)

    try settings.withoutEcho.apply(to: side, .afterOutput)
    var words = try stty(side)
    #expect(words.contains("-echo") && words.contains("icanon"))
    settings.endsLinesWithReturn = false
    settings.sendsSignals = false
    settings.readsLines = false
    try settings.apply(to: terminal.controlling, .afterOutputDiscardingInput)
    words = try stty(side)
    #expect(words.contains("echo") && words.contains("-onlcr") && words.contains("-isig") && words.contains("-icanon"))
  }

  @Test("are raw as stty's raw is, and come back")
  func areRaw() throws {
    let terminal = try PseudoTerminal()
    let side = try terminal.openTerminalSide()
    let before = try stty(side)
    let settings = try TerminalSettings(of: side)
    try settings.raw.apply(to: side)
    let words = try stty(side)
    for word in ["-icanon", "-isig", "-echo", "-opost", "-icrnl", "-ixon", "-iexten", "cs8"] {
      #expect(words.contains(word), "\(word) in \(words)")
    }
    let raw = try TerminalSettings(of: side)
    #expect(raw == settings.raw && raw != settings)
    try settings.apply(to: side)
    let after = try stty(side)
    #expect(after == before)
  }

  @Test("know the special keys")
  func knowKeys() throws {
    let terminal = try PseudoTerminal()
    var settings = try TerminalSettings(of: terminal.controlling)
    let keys: [(TerminalSettings.SpecialCharacter, UInt8)] = [
      (.endOfFile, 4), (.interrupt, 3), (.quit, 0x1c), (.suspend, 0x1a), (.erase, 0x7f),
    ]
    for (key, byte) in keys { #expect(settings.byte(for: key) == byte) }
    withUnsafeMutableBytes(of: &settings.native.c_cc) { $0[Int(VINTR)] = 0 }
    #expect(settings.byte(for: .interrupt) == nil)
  }

  @Test("are a terminal's only")
  func needATerminal() throws {
    let null = try Descriptor.open("/dev/null", .readOnly)
    let found = failure { () throws(SystemCallError) in try TerminalSettings(of: null) }
    #expect(found == SystemCallError("tcgetattr", code: ErrorCode.inappropriateIOCTLForDevice))
  }
}
