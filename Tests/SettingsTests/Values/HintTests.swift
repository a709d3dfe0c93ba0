import Testing

@testable import Settings

/// What a message suggests for a value that cannot be read.
@Suite struct HintTests {
  private func complaint(_ name: String, _ raw: RawValue) throws -> String {
    var settings = ServiceSettings()
    let key = try #require(ServiceSettings.key(named: name))
    do throws(ValueProblems) {
      try key.read(raw, into: &settings)
      return ""
    } catch { return error.problems.map(\.message).joined(separator: "\n") }
  }

  @Test(
    "says what was probably meant",
    arguments: [
      ("idle-timeout", .integer(30), "found 30; did you mean \"30s\"?"),
      ("idle-timeout", .string("30"), "found \"30\"; did you mean \"30s\"?"),
      ("idle-timeout", .integer(0), "found 0; did you mean \"none\"?"),
      ("limit-cpu", .integer(5), "found 5; did you mean \"5s\"?"),
      ("rate", .integer(50), "found 50; did you mean \"50/s\"?"),
      ("deny-time", .integer(600), "found 600; did you mean \"600s\"?"),
      ("rate", .string("50"), "found \"50\"; did you mean \"50/s\"?"),
      ("keep-alive", .string("yes"), "found \"yes\"; write true"),
      ("keep-alive", .string("Off"), "found \"Off\"; write false"),
      ("keep-alive", .string("false"), "found \"false\"; write false without quotes"),
      ("socket-mode", .integer(660), "found 660; write \"0660\""),
      ("umask", .integer(22), "found 22; write \"022\""),
      ("backlog", .string("5"), "found \"5\"; write 5 without quotes"),
      ("user", .integer(65534), "found 65534; write \"65534\""),
      ("listen-stream", .integer(2345), "found 2345; write [\"2345\"]"),
      ("listen-stream", .list([.integer(65_535)]), "found 65535; write \"65535\""),
      ("exec", .string("/bin/cat -u"), "found \"/bin/cat -u\"; write [\"/bin/cat\", \"-u\"]"),
      ("serve", .string("helo"), "found \"helo\"; did you mean hello?"),
      ("when-full", .string("refused"), "found \"refused\"; did you mean refuse?"),
    ] as [(String, RawValue, String)])
  func saysWhatWasMeant(name: String, raw: RawValue, end: String) throws {
    let complaint = try complaint(name, raw)
    #expect(complaint.hasPrefix("expected ") && complaint.hasSuffix(end), "\(complaint)")
  }

  @Test(
    "suggests nothing that would be wrong as well",
    arguments: [
      ("idle-timeout", .integer(-1)), ("idle-timeout", .integer(.max)), ("idle-timeout", .string("99999999999")),
      ("limit-cpu", .integer(0)), ("deny-time", .string("10m after 0")),
      ("deny-time", .string("after 5")), ("deny-time", .string("0s")), ("deny-time", .integer(0)),
      ("rate", .integer(0)),
      ("rate", .integer(5_000_000)), ("socket-mode", .integer(438)),
      ("socket-mode", .integer(888)), ("socket-mode", .integer(1000)), ("backlog", .string("0")),
      ("keep-alive", .integer(1)), ("exec", .string("cat -u")), ("serve", .string("zzz")),
      ("listen-stream", .boolean(true)), ("user", .integer(-1)),
      ("user", .integer(4_294_967_295)), ("socket-group", .integer(.max)), ("listen-stream", .integer(65_536)),
      ("listen-stream", .list([.integer(-1)])), ("listen-datagram", .integer(70_000)), ("allow", .integer(7)),
      ("allow", .list([.integer(7)])), ("deny", .integer(0)), ("deny", .list([.integer(7)])),
      ("working-directory", .integer(7)), ("fortune.databases", .integer(7)), ("exec", .integer(7)),
      ("bind-to-device", .integer(1_234_567_890_123_456)),
    ] as [(String, RawValue)])
  func suggestsNothingWrong(name: String, raw: RawValue) throws {
    let complaint = try complaint(name, raw)
    #expect(complaint.hasPrefix("expected ") && !complaint.contains(";"), "\(complaint)")
  }

  @Test("of a duration that cannot be none does not suggest none")
  func suggestsZero() {
    #expect(Syntax<Duration>.duration.complaints(about: .integer(0))[0].hasSuffix("found 0; did you mean \"0s\"?"))
  }
}
