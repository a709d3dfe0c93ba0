import Foundation
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// The table that begatd prints for people when it is ready.
@Suite(.timeLimit(.minutes(30)))
struct ReadyTableTests {
  /// The rows as (address, command), of a begatd that is running while `body` looks at them.
  private func withTable(
    _ configuration: String, in directory: TemporaryDirectory,
    _ body: ([(address: String, command: String)]) throws -> Void
  ) throws {
    let file = try directory.write(configuration, to: "begatd.toml")
    let terminal = try PseudoTerminal()
    let side = try terminal.openTerminalSide()
    let words = shell("exec \"$0\" \"$@\" >&3 3>&-") + [try Programs.begatd(), "--config", file]
    let begatd = try RunningProgram(
      words[0], Array(words.dropFirst()), environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"],
      passing: [side.number])
    let shown = CollectedOutput(reading: try terminal.controlling.duplicate())
    guard shown.wait(within: .seconds(15), until: { $0.contains("Ctrl-C stops it.") }) else {
      throw HarnessFailure("no table: \(begatd.errors.text)")
    }
    // The terminal's own ends of line.
    let text = shown.text.replacing("\r\n", with: "\n")
    #expect(text.utf8.allSatisfy { $0 == 0x0a || (0x20...0x7e).contains($0) }, "\(text)")
    #expect(begatd.errors.lines(containing: "is ready").isEmpty)
    let lines = text.split(separator: "\n").map(String.init)
    let head = try #require(lines.firstIndex { $0.hasPrefix("SERVICE ") })
    let address = lines[head].distance(of: "ADDRESS"), command = lines[head].distance(of: "TRY")
    let rows = lines[(head + 1)...].prefix { !$0.hasPrefix("Ctrl-C") }.map { line in
      (
        address: String(line.dropFirst(address).prefix(command - address)).trimmed,
        command: String(line.dropFirst(command))
      )
    }
    try body(rows)
    try begatd.send(.terminate)
    #expect(try begatd.awaitEnd() == .exited(code: 0))
  }

  @Test func thePathToTryIsAShellsWord() throws {
    let directory = try TemporaryDirectory()
    let paths = [directory.path("it's"), directory.path("a b;c")]
    let text = "[service.echo]\nserve = \"echo\"\nlisten-stream = \(SampleConfiguration.list(paths))\n"
    try withTable(text, in: directory) { rows in
      #expect(rows.count == 2, "\(rows)")
      #expect(rows.first?.command.hasSuffix("connect $'\(directory.path("it\\'s"))'") ?? false, "\(rows)")
      #expect(rows.last?.command.hasSuffix("connect '\(paths[1])'") ?? false, "\(rows)")
    }
  }

  @Test("a line of the log takes its place where standard output is no terminal")
  func withoutATerminal() throws {
    try withDaemon(SampleConfiguration.service("echo") + SampleConfiguration.service("time")) { daemon in
      let lines = try daemon.log.awaitLines(containing: " is ready: 2 services, configuration: ")
      #expect(lines.count == 1 && lines[0].contains(" begatd: version "))
      #expect(daemon.program.output.text == "")
    }
  }

  @Test func everyCommandWorksInAShell() throws {
    let directory = try TemporaryDirectory()
    let odd = directory.path("it's [a] \u{1b}[31m;reboot")
    let text =
      try SampleConfiguration.everything(in: directory)
      + SampleConfiguration.program("cat", [try Programs.tool("cat")], listening: ["127.0.0.1:0"])
      + "[service.odd]\nserve = \"daytime\"\nlisten-stream = [\"\(odd.replacing("\u{1b}", with: "\\u001b"))\"]\n"
    try withTable(text, in: directory) { rows in
      #expect(rows.count > 40)
      for (address, command) in rows {
        if command.isEmpty {
          // Without OpenBSD's netcat there is no client of datagrams that every machine has.
          #expect(address.hasSuffix(" (datagram)"))
          continue
        }
        let shell = try RunningProgram.run(try Programs.tool("bash"), ["-c", command], input: .text("quit\n"))
        #expect(shell.status == .exited(code: 0), "\(command): \(shell.errors.text)")
        let isSilent = command.contains("echo gone")
        #expect(shell.output.text.isEmpty == isSilent || command.contains("nc -u"), "\(command)")
        #expect(shell.errors.text == "", "\(command)")
      }
      #expect(rows.contains { $0.command.hasSuffix(" time --udp \($0.address.dropLast(11))") })
    }
  }

  /// The begat beside begatd is named by its path, unless the shell finds the same one by its name.
  @Test func begatIsTheOneBesideBegatd() throws {
    let directory = try TemporaryDirectory()
    let configuration = SampleConfiguration.service("daytime")
    try withTable(configuration, in: directory) { rows in
      #expect(
        rows.map(\.command).allSatisfy { $0.hasPrefix("/") && $0.contains("/begat connect 127.0.0.1 ") }, "\(rows)")
    }
  }
}

extension String {
  /// How many characters stand before a word.
  fileprivate func distance(of word: String) -> Int {
    range(of: word).map { distance(from: startIndex, to: $0.lowerBound) } ?? 0
  }
}
