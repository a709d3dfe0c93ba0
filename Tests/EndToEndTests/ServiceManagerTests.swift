import Glibc
import Testing
@_spi(Begat) import UnixCore

/// What begatd tells the service manager.
@Suite(.timeLimit(.minutes(30)))
struct ServiceManagerTests {
  private static let configuration = SampleConfiguration.service("echo") + SampleConfiguration.service("daytime")

  @Test func hearsOfReadinessAndOfTheStop() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(Self.configuration, in: directory, environment: [socket.variable])
    let messages = try socket.take(until: "READY=1")
    #expect(messages.count == 1)
    #expect(messages[0].contains("STATUS=serving 2 of 2 services on 2 addresses"))
    #expect(Expected.isDaytime(try ask(daemon.address("daytime"))))
    try daemon.stop()
    let last = try socket.take(until: "STOPPING=1")
    #expect(last.count == 1 && last[0].contains { $0.hasPrefix("STATUS=") }, "\(last)")
  }

  @Test func hearsASignOfLifeInTime() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(
      Self.configuration, in: directory, environment: [socket.variable, "WATCHDOG_USEC=600000"])
    _ = try socket.take(until: "READY=1")
    for _ in 0..<5 { #expect(try socket.take(until: "WATCHDOG=1", within: .milliseconds(600)).count == 1) }
    try daemon.stop()
  }

  @Test func hearsNoneWhileAListenerIsStuckWhichIsThenReplaced() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(
      Self.configuration, in: directory, environment: [socket.variable, "WATCHDOG_USEC=600000"])
    _ = try socket.take(until: "WATCHDOG=1")

    let stuck = try daemon.listener("daytime")
    try Signal(rawValue: SIGSTOP).send(to: stuck)
    let waiting = try Client(try daemon.address("daytime"))
    let messages = try socket.take(until: "STATUS=serving 1 of 2")
    // The question before may have been answered already.
    #expect(messages.count { $0.contains("WATCHDOG=1") } <= 1, "\(messages)")
    _ = try socket.take(until: "STATUS=serving 2 of 2")
    #expect(Expected.isDaytime(try waiting.receiveAll()))
    waiting.hangUp()
    _ = try socket.take(until: "WATCHDOG=1", within: .seconds(1))

    #expect(try daemon.listener("daytime") != stuck)
    #expect(daemon.log.lines(containing: "daytime: listener \(stuck) does not answer; ended").count == 1)
    try daemon.stop()
  }

  @Test func hearsOfAReload() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(Self.configuration, in: directory, environment: [socket.variable])
    _ = try socket.take(until: "READY=1")
    let before = SystemClock.monotonic() / 1000
    try daemon.reload(Self.configuration + "log = \"none\"\n")
    let beginning = try #require(try socket.take(until: "RELOADING=1").last)
    let time = try #require(
      beginning.first { $0.hasPrefix("MONOTONIC_USEC=") }.flatMap { Int64($0.dropFirst("MONOTONIC_USEC=".count)) })
    #expect((before...SystemClock.monotonic() / 1000).contains(time))
    #expect(!beginning.contains("READY=1"))
    let end = try socket.take(until: "READY=1")
    #expect(end.last?.contains { $0.hasPrefix("STATUS=serving 2 of 2") } ?? false, "\(end)")
    // A refused one has an end too.
    try daemon.reload("[service.echo]\n")
    _ = try socket.take(until: "RELOADING=1")
    let refused = try socket.take(until: "READY=1")
    #expect(refused.last?.contains { $0.contains("the last reload was refused") } ?? false, "\(refused)")
    try daemon.stop()
  }
}
