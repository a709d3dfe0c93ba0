import Foundation
import Testing
@_spi(Begat) import UnixCore

/// `begat connect` and `begat load`.
@Suite(.timeLimit(.minutes(30)))
struct ToolTests {
  @Test(arguments: ["127.0.0.1:", "[::1]:", "/", "@"])
  func connectPassesBothDirectionsAndTheEnd(to place: String) throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let text = "one\0two\r\n" + String(repeating: "x", count: 60_000)
      let echo = try begat(["connect"] + target(daemon.address("echo", place)), input: .text(text))
      #expect(echo.status == .exited(code: 0), "\(echo.errors.text)")
      #expect(echo.output.text == text && echo.errors.text == "")
      let daytime = try begat(["connect"] + target(daemon.address("daytime", place)))
      #expect(daytime.status == .exited(code: 0) && Expected.isDaytime(daytime.output.bytes))
    }
  }

  @Test func connectBeginsWithAHeaderOfTheProxyProtocol() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let place = try target(daemon.address("echo", "127.0.0.1:"))
      let port = try #require(place.last)
      let first = try begat(["connect", "--proxy", "v1", "--from", "192.0.2.7:4000"] + place, input: .text("text\n"))
      #expect(first.output.text == "PROXY TCP4 192.0.2.7 127.0.0.1 4000 \(port)\r\ntext\n", "\(first.errors.text)")
      let own = try begat(["connect", "--proxy", "v1"] + place, input: .text(""))
      #expect(own.output.text.hasPrefix("PROXY TCP4 127.0.0.1 127.0.0.1 ") && own.output.text.hasSuffix(" \(port)\r\n"))
      let second = try begat(["connect", "--proxy", "v2", "--from", "192.0.2.7:4000"] + place, input: .text(""))
      #expect(second.output.bytes.prefix(16).elementsEqual("\r\n\r\n\0\r\nQUIT\n\u{21}\u{11}\0\u{c}".utf8))
      #expect(
        second.output.bytes.dropFirst(16).prefix(4).elementsEqual([192, 0, 2, 7]) && second.output.bytes.count == 28)

      for wrong in [["--from", "192.0.2.7"], ["--proxy", "v3"], ["--proxy", "v1", "--from", "/run/x"]] {
        #expect(try begat(["connect"] + wrong + place).status == .exited(code: 64), "\(wrong)")
      }
    }
  }

  @Test func connectHoldsAConversation() throws {
    try withDaemon(SampleConfiguration.service("command")) { daemon in
      let connect = try RunningProgram(
        try Programs.begat(), ["connect"] + target(daemon.address("command")), input: .pipe)
      #expect(connect.output.wait(within: .seconds(5)) { $0 == Expected.banner + Expected.prompt })
      try connect.write("help\n")
      #expect(connect.output.wait(within: .seconds(5)) { $0.hasSuffix(Expected.help + Expected.prompt) })
      try connect.write("quit\n")
      // It ends when the server does, though its input goes on.
      #expect(try connect.awaitEnd() == .exited(code: 0), "\(connect.errors.text)")
    }
  }

  @Test func connectCanLeaveItsInputAlone() throws {
    try withDaemon(SampleConfiguration.service("daytime") + SampleConfiguration.service("echo")) { daemon in
      let daytime = try begat(
        ["connect", "--receive-only"] + target(daemon.address("daytime")), input: .text("not read"))
      #expect(daytime.status == .exited(code: 0) && Expected.isDaytime(daytime.output.bytes))
    }
  }

  @Test func connectFailsWhereNobodyListens() throws {
    let address = try FreePorts.addresses(1)[0]
    let directory = try TemporaryDirectory()
    for place in [target(address), [directory.path("none")], ["@\(directory.path)/none"]] {
      let connect = try begat(["connect"] + place)
      #expect(connect.status == .exited(code: 1))
      #expect(connect.errors.lines.count == 1 && connect.output.text == "", "\(connect.errors.text)")
    }
    #expect(try begat(["connect"]).status == .exited(code: 64))
  }

  @Test(arguments: ["127.0.0.1:", "/"])
  func loadCountsWhatIsServed(at place: String) throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let target = try target(daemon.address("time", place))
      let load = try begat(["load", "--connections", "200", "--expect-bytes", "4", "--json"] + target)
      #expect(load.status == .exited(code: 0), "\(load.errors.text)")
      let figures = try figures(load)
      #expect(figures["ok"] == 200 && figures["connections"] == 200 && figures["bytes"] == 800)
    }
  }

  @Test func loadFailsWhereConnectionsDo() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let wrong = try begat(
        ["load", "--connections", "10", "--expect-bytes", "5", "--json"] + target(daemon.address("time")))
      #expect(wrong.status == .exited(code: 1))
      #expect(try figures(wrong)["short"] == 10)
      let closed = try begat(["load", "--connections", "10", "--json"] + target(try FreePorts.addresses(1)[0]))
      #expect(closed.status == .exited(code: 1))
      #expect(try figures(closed)["refused"] == 10)
    }
  }

  /// A limit that refuses closes the connection without a byte.
  @Test(arguments: ["127.0.0.1:", "/"])
  func loadCountsNoRefusalAsServed(at place: String) throws {
    func configuration(_ directory: TemporaryDirectory) -> String {
      SampleConfiguration.service("daytime", "rate-per-source = \"1/h burst 5\"")
        .replacing("[\"127.0.0.1:0\"]", with: "[\"127.0.0.1:0\", \"\(directory.path("daytime"))\"]")
    }
    try withDaemon(configuration) { daemon in
      let load = try begat(
        ["load", "--connections", "50", "--json"] + target(daemon.address("daytime", place)))
      #expect(load.status == .exited(code: 1))
      let figures = try figures(load)
      #expect(figures["ok"] == 5 && figures["failed"] == 45, "\(load.output.text)")
      #expect((figures["empty"] ?? 0) + (figures["reset"] ?? 0) == 45, "\(load.output.text)")
    }
  }

  /// Otherwise a server that looks up names, as hello does, is measured with the lookups of all of them.
  @Test func loadComesFromOneAddressByDefault() throws {
    try withDaemon(SampleConfiguration.service("daytime")) { daemon in
      for (options, sources) in [([], 1), (["--sources", "4"], 4)] {
        let seen = daemon.log.lines(containing: " complete").count
        let load = try begat(["load", "--connections", "8"] + options + target(daemon.address("daytime")))
        #expect(load.status == .exited(code: 0), "\(load.errors.text)")
        try daemon.log.awaitLines(seen + 8, containing: " complete")
        let peers = daemon.log.lines(containing: " complete").dropFirst(seen)
          .compactMap { $0.firstMatch(of: #/ for ([0-9.]+):/#)?.1 }
        #expect(Set(peers).count == sources, "\(peers)")
      }
    }
  }

  private func begat(_ arguments: [String], input: RunningProgram.Input = .nothing) throws -> RunningProgram {
    try RunningProgram.run(try Programs.begat(), arguments, input: input)
  }
}

/// An address as begat's arguments have it.
func target(_ address: String) -> [String] {
  guard let colon = address.lastIndex(of: ":"), !address.hasPrefix("/"), !address.hasPrefix("@") else {
    return [address]
  }
  let host = address[..<colon].filter { $0 != "[" && $0 != "]" }
  return [host, String(address[address.index(after: colon)...])]
}

/// The numbers of a JSON object that a program printed.
func figures(_ program: RunningProgram) throws -> [String: Double] {
  let object = try JSONSerialization.jsonObject(with: Data(program.output.bytes)) as? [String: Any] ?? [:]
  return object.compactMapValues { ($0 as? NSNumber)?.doubleValue }
}
