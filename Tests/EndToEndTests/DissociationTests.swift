import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// begatd that leaves its terminal.
@Suite(.timeLimit(.minutes(30)))
struct DissociationTests {
  @Test func theStarterReturnsWhenAllIsServed() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo.sock")
    let file = try directory.write(configuration(path, logging: directory.path("log")), to: "begatd.toml")
    let starter = try RunningProgram.run(try Programs.begatd(), ["--daemon", "--config", file])
    #expect(starter.status == .exited(code: 0), "\(starter.errors.text)")
    #expect(starter.output.text == "" && starter.errors.text == "", "\(starter.errors.text)")
    #expect(try ask(path, "served") == Array("served".utf8))

    let daemon = try #require(ProcessFacts.all.first { $0.title.hasSuffix("--daemon --config \(file)") })
    let family = [daemon] + ProcessFacts.descendants(of: daemon.process)
    defer { for facts in family where facts.isThere { try? Signal.kill.send(to: facts.process) } }
    #expect(daemon.session != getsid(0))
    #expect(daemon.session != daemon.process, "as a session's leader it could get a terminal")
    #expect(ProcessFacts.workingDirectory(of: daemon.process) == "/")
    for number in 0...2 { #expect(ProcessFacts.descriptors(of: daemon.process)[number] == "/dev/null") }
    // Whoever waits for the starter's streams to end, as ssh does, waits no longer.
    #expect(starter.output.awaitEnd(within: .seconds(1)))
    #expect(starter.errors.awaitEnd(within: .seconds(1)))

    try Signal.terminate.send(to: daemon.process)
    #expect(eventually { !family.contains(where: \.isThere) })
    #expect(try directory.names().sorted() == ["begatd.toml", "log"])
  }

  @Test func theStarterFailsWhenNothingCanBeServed() throws {
    let directory = try TemporaryDirectory()
    let holder = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
    let address = try holder.descriptor.localAddress().address?.description ?? "?"
    let file = try directory.write(configuration(address, logging: directory.path("log")), to: "begatd.toml")
    let starter = try RunningProgram.run(try Programs.begatd(), ["--daemon", "--config", file])
    #expect(starter.status == .exited(code: 1))
    #expect(starter.errors.lines.count == 1 && starter.errors.text.contains("Address already in use"))
    #expect(starter.errors.awaitEnd(within: .seconds(1)), "a process is left")

    let faulty = try RunningProgram.run(
      try Programs.begatd(), ["--daemon", "--config", try directory.write("nonsense", to: "faulty.toml")])
    #expect(faulty.status == .exited(code: 78))
    #expect(faulty.errors.awaitEnd(within: .seconds(1)), "a process is left")
  }

  @Test func aLogFileIsKept() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo.sock")
    let file = try directory.write(configuration(path), to: "begatd.toml")
    let log = directory.path("log")
    let starter = try RunningProgram.run(
      "/bin/sh", ["-c", "exec \"$0\" --daemon --config \"$1\" 2>>\"$2\"", try Programs.begatd(), file, log])
    #expect(starter.status == .exited(code: 0))
    #expect(try ask(path, "served") == Array("served".utf8))
    let daemon = try #require(ProcessFacts.all.first { $0.title.hasSuffix("--daemon --config \(file)") })
    let family = [daemon] + ProcessFacts.descendants(of: daemon.process)
    defer { for facts in family where facts.isThere { try? Signal.kill.send(to: facts.process) } }
    func text() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
    #expect(eventually { text().contains("sent 6 bytes, complete") }, "\(text())")
    for number in 0...1 { #expect(ProcessFacts.descriptors(of: daemon.process)[number] == "/dev/null") }
    try Signal.terminate.send(to: daemon.process)
    #expect(eventually { !family.contains(where: \.isThere) })
    #expect(text().hasSuffix("begatd: stopped\n") && !text().contains("is lost"))
  }

  /// - Parameter file: the log; nil for standard error.
  private func configuration(_ address: String, logging file: String? = nil) -> String {
    let target = file.map { "\"file\"\nlog-file = \"\($0)\"" } ?? "\"stderr\""
    return "[daemon]\nlog-target = \(target)\n[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(address)\"]\n"
  }
}
