import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Messages that begatd writes to standard error itself, where that is the service manager's journal.
@Suite(.timeLimit(.minutes(30)))
struct StartPriorityTests {
  /// What begatd and its own processes write when standard error is the journal.
  private func lines(
    _ arguments: [String], environment: [String] = [], wrapper: [String] = [], status: CInt,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [String] {
    let words =
      shell("JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \"$0\" \"$@\"") + wrapper
      + [try Programs.begatd()] + arguments
    let begatd = try RunningProgram.run(words[0], Array(words.dropFirst()), environment: environment)
    #expect(begatd.status == .exited(code: status), "\(begatd.errors.text)", sourceLocation: sourceLocation)
    #expect(!begatd.errors.lines.isEmpty, sourceLocation: sourceLocation)
    for line in begatd.errors.lines {
      #expect(line.contains(/^<[34]>/), "\(line)", sourceLocation: sourceLocation)
    }
    return begatd.errors.lines
  }

  private static let twoFaults = "[service.echo]\nserve = \"eco\"\n[service.time]\nserve = \"tim\"\n"

  @Test("every line about a broken configuration is an error", arguments: [[], ["--check"], ["--daemon"]])
  func configuration(options: [String]) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(Self.twoFaults, to: "begatd.toml")
    let lines = try lines(["--config", file] + options, status: 78)
    // A check bears its command's name in the journal too, where a start leaves it to the journal.
    let name = options == ["--check"] ? "begatd: " : ""
    #expect(lines.count >= 2 && lines.allSatisfy { $0.hasPrefix("<3>\(name)\(file):") }, "\(lines)")
  }

  @Test("warnings of a check are warnings")
  func warnings() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(SampleConfiguration.service("echo", "sandbox = \"off\""), to: "begatd.toml")
    let lines = try lines(["--config", file, "--check"], status: 0)
    #expect(lines.allSatisfy { $0.hasPrefix("<4>begatd: warning: ") }, "\(lines)")
  }

  @Test("every line about the command line is an error")
  func usage() throws {
    let lines = try lines(["--nonsense"], status: 64)
    #expect(lines.count > 1 && lines[0].hasPrefix("<3>Error: "), "\(lines)")
  }

  @Test("an address in use is an error", arguments: [[], ["--daemon"]])
  func address(options: [String]) throws {
    let holder = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
    let port = try #require(try holder.descriptor.localAddress().address?.port)
    let directory = try TemporaryDirectory()
    let configuration = SampleConfiguration.service("echo").replacing("127.0.0.1:0", with: "127.0.0.1:\(port)")
    let file = try directory.write(configuration, to: "begatd.toml")
    let lines = try lines(["--config", file] + options, status: 1)
    #expect(lines.contains { $0.hasPrefix("<3>") && $0.contains("Address already in use") }, "\(lines)")
  }

  @Test("the resolver and the writer of the log say their errors so")
  func ownProcesses() throws {
    #expect(try lines(["--resolve-names"], status: 1)[0].hasPrefix("<3>names: "))
    #expect(try lines(["--write-log"], status: 1)[0].hasPrefix("<3>log: "))
  }

  @Test("their environment names the journal only if it is there")
  func environment() throws {
    let script = "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \"$0\" \"$@\""
    let directory = try TemporaryDirectory()
    try directory.make("bin")
    _ = try RunningProgram.tool("cp", [try Programs.begatd(), directory.path("bin/begatd")])
    try directory.write(
      "#!/bin/sh\nenv >\(directory.path("environment"))\nexec \(try Programs.listener()) \"$@\"\n",
      to: "bin/begat-listener", mode: 0o755)
    chmod(directory.path, 0o777)
    let configuration = "[daemon]\nlog-target = \"stderr\"\n" + SampleConfiguration.script("env", "env")
    let daemon = try Daemon(
      configuration, in: directory, wrapper: shell(script), begatd: directory.path("bin/begatd"))
    let text = try String(contentsOfFile: directory.path("environment"), encoding: .utf8)
    #expect(text.contains("JOURNAL_STREAM="), "\(text)")
    // Not for programs, whose standard error is another.
    #expect(!String(decoding: try ask(try daemon.address("env")), as: UTF8.self).contains("JOURNAL_STREAM"))
    try daemon.stop()
  }

  @Test("without a journal, messages bear the program's name")
  func otherwise() throws {
    let begatd = try RunningProgram.run(
      try Programs.begatd(), ["--config", "/nonexistent"], environment: ["JOURNAL_STREAM=1:1"])
    #expect(begatd.status == .exited(code: 78))
    #expect(begatd.errors.text.hasPrefix("begatd: /nonexistent: "))
  }
}
