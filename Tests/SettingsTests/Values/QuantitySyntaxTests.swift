import Admission
import Testing

@testable import Settings

@Suite struct DurationSyntaxTests {
  @Test(
    "is a duration, and for a limit none",
    arguments: [("30s", .seconds(30)), ("1h30m", .seconds(5400))] as [(String, Duration)])
  func isADuration(text: String, duration: Duration) {
    Syntax<Duration>.duration.expect(duration, from: .string(text), word: text)
    Syntax<Duration?>.timeLimit.expect(duration, from: .string(text), word: text)
    Syntax<UInt64?>.wholeSeconds.expect(
      UInt64(duration.components.seconds), from: .string(text), word: text)
  }

  @Test("is nothing else", arguments: ["", "30", "soon", "-1s", "1.5s", "None", "3651d", "1s\u{0}"])
  func isNothingElse(text: String) {
    Syntax<Duration>.duration.expectRefusal(of: .string(text), word: text)
    Syntax<Duration?>.timeLimit.expectRefusal(of: .string(text), word: text)
    Syntax<UInt64?>.wholeSeconds.expectRefusal(of: .string(text), word: text)
    for raw in [RawValue.integer(30), .boolean(false), .list([.string("1s")]), .other(kind: "a date")] {
      #expect((try? Syntax<Duration?>.timeLimit.read(raw)) == nil)
    }
  }

  @Test("may be zero, none or a fraction of a second only where that means something")
  func mayBeZero() {
    Syntax<Duration>.duration.expect(.zero, from: .string("0s"), word: "0s")
    Syntax<Duration?>.timeLimit.expectRefusal(of: .string("0s"), word: "0s")
    Syntax<UInt64?>.wholeSeconds.expectRefusal(of: .string("0s"), word: "0s")
    Syntax<Duration?>.timeLimit.expect(nil, from: .string("none"), word: "none")
    Syntax<Duration>.duration.expectRefusal(of: .string("none"), word: "none")
    Syntax<UInt64?>.wholeSeconds.expectRefusal(of: .string("none"), word: "none")
    Syntax<Duration?>.timeLimit.expect(.milliseconds(1500), from: .string("1500ms"), word: "1500ms")
    Syntax<UInt64?>.wholeSeconds.expectRefusal(of: .string("1500ms"), word: "1500ms")
  }
}

@Suite struct RateSyntaxTests {
  private let syntax = Syntax<RateSetting>.rate

  @Test("is a rate or none", arguments: ["1/s", "50/s burst 100", "20/m", "100/h", "1000000/d burst 1"])
  func isARate(text: String) throws {
    syntax.expect(.at(try #require(RateLimit(text))), from: .string(text), word: text)
  }

  @Test(
    "is nothing else", arguments: ["", "50", "0/s", "5/w", "1/s burst", "1/s burst 0", "-1/s", "5 / s", "1000001/s"])
  func isNothingElse(text: String) { syntax.expectRefusal(of: .string(text), word: text) }

  @Test("is lifted by none")
  func isLifted() { syntax.expect(.unlimited, from: .string("none"), word: "none") }

  @Test("is not written where it is left out")
  func isLeftOut() {
    #expect(syntax.render(.standard) == nil)
    #expect(RateSetting.standard.limit(standard: .datagrams) == .datagrams)
    #expect(RateSetting.unlimited.limit(standard: .datagrams) == nil)
  }
}

@Suite struct SizeSyntaxTests {
  private let syntax = Syntax<UInt64?>.size

  @Test("is a number of bytes, or text with a unit")
  func isASize() {
    syntax.expect(4096, from: .integer(4096), word: "4096")
    syntax.expect(64 << 20, from: .string("64M"), word: "64M")
    syntax.expect(1 << 62, from: .string("4194304T"), word: "4194304T")
  }

  @Test("is nothing else", arguments: ["", "0", "0M", "64MB", "-1", "1.5G", "4194305T", "none"])
  func isNothingElse(text: String) {
    syntax.expectRefusal(of: .string(text), word: text)
    for raw in [RawValue.integer(0), .integer(-1), .boolean(true), .list([])] {
      #expect((try? syntax.read(raw)) == nil)
    }
  }
}

@Suite struct ModeSyntaxTests {
  private let syntax = Syntax<UInt32>.mode(example: "0660")

  @Test(
    "is in octal digits",
    arguments: [("0660", 0o660), ("660", 0o660), ("0", 0), ("0777", 0o777), ("7", 7)] as [(String, UInt32)])
  func isOctal(text: String, mode: UInt32) { syntax.expect(mode, from: .string(text), word: text) }

  @Test("is nothing else", arguments: ["", "8", "0888", "1000", "4755", "00660", "-0", "+7", "0o660", "rw", " 660"])
  func isNothingElse(text: String) {
    syntax.expectRefusal(of: .string(text), word: text)
    #expect((try? syntax.read(.integer(660))) == nil && (try? syntax.read(.integer(432))) == nil)
  }

  @Test("is rendered with four digits")
  func isRendered() {
    #expect(syntax.render(0o22) == .string("0022") && syntax.render(0) == .string("0000"))
  }
}
