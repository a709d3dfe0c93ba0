import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// A begatd that does not start, under a service manager that starts it again immediately.
@Suite(.timeLimit(.minutes(30)))
struct StartRetryTests {
  private static let broken = "[service.echo]\nserve = \"eco\"\nlisten-stream = \"127.0.0.1:0\"\n"
  private static let sound = SampleConfiguration.service("echo")

  /// The directories and the manager's socket of a begatd that is started several times.
  private final class Place {
    let directory: TemporaryDirectory
    let socket: FakeManager
    let failures: String

    init() throws {
      directory = try TemporaryDirectory()
      socket = try FakeManager(in: directory)
      try directory.make("run")
      failures = directory.path("run/start-failures")
    }

    func start(_ configuration: String, wrapper: [String] = [], options: [String] = []) throws -> RunningProgram {
      let file = try directory.write(configuration, to: "begatd.toml")
      let words = wrapper + [try Programs.begatd(), "--config", file] + options
      return try RunningProgram(
        words[0], Array(words.dropFirst()),
        environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))", socket.variable])
    }

    /// Puts another configuration in place, whole.
    func repair(_ configuration: String) throws {
      let new = try directory.write(configuration, to: "new")
      guard rename(new, directory.path("begatd.toml")) == 0 else { throw HarnessFailure("rename") }
    }
  }

  private func stop(_ begatd: RunningProgram, sourceLocation: SourceLocation = #_sourceLocation) throws {
    try begatd.send(.terminate)
    #expect(
      try begatd.awaitEnd(within: .seconds(5)) == .exited(code: 0), "\(begatd.errors.text)",
      sourceLocation: sourceLocation)
  }

  @Test("the first failure exits, the next one waits and says nothing twice; a repaired file is read immediately")
  func aBrokenConfiguration() throws {
    let place = try Place()
    let first = try place.start(Self.broken)
    #expect(try first.awaitEnd() == .exited(code: 78))
    #expect(first.errors.lines.count == 1 && first.errors.text.contains("eco"), "\(first.errors.text)")
    #expect(try String(contentsOfFile: place.failures, encoding: .utf8).hasPrefix("1 "))

    let second = try place.start(Self.broken)
    let message = try #require(try place.socket.take(until: "STATUS=does not start: ").last)
    #expect(message.contains { $0.hasPrefix("STATUS=") && $0.contains("eco") && $0.contains("tried again in 1s") })
    #expect(message.contains("EXTEND_TIMEOUT_USEC=31000000"))
    // The next look finds the same fault, and waits longer.
    let next = try #require(try place.socket.take(until: "STATUS=does not start: ").last)
    #expect(next.contains { $0.contains("tried again in 2s") }, "\(next)")
    try place.repair(Self.sound)
    _ = try place.socket.take(until: "READY=1")
    #expect(!second.errors.text.contains("eco"), "\(second.errors.text)")
    // The manager is told first.
    #expect(eventually { access(place.failures, F_OK) == -1 })
    try stop(second)
  }

  @Test("a repaired file is read long before the time is over, and so is a changed one that is wrong")
  func aRepairInALongWait() throws {
    let place = try Place()
    try "30 0\n".write(toFile: place.failures, atomically: false, encoding: .utf8)
    let begatd = try place.start(Self.broken)
    let message = try #require(try place.socket.take(until: "STATUS=does not start: ").last)
    #expect(message.contains { $0.contains("tried again in 1m") }, "\(message)")
    let watch = Stopwatch()
    try place.repair(Self.broken.replacing("eco", with: "ecco"))
    let next = try #require(try place.socket.take(until: "STATUS=does not start: ").last)
    #expect(next.contains { $0.contains("ecco") }, "\(next)")
    #expect(try begatd.errors.awaitLines(containing: "ecco").count == 1, "\(begatd.errors.text)")
    // A file beside it counts too.
    try place.directory.make("conf.d")
    try place.directory.write(Self.sound.replacing("echo]", with: "other]"), to: "conf.d/other.toml")
    try place.repair("")
    _ = try place.socket.take(until: "READY=1")
    #expect(watch.elapsed < .seconds(30), "\(watch.elapsed)")
    try stop(begatd)
  }

  @Test("a stop ends the wait immediately, and the next start begins anew", arguments: [Signal.terminate, .interrupt])
  func aStop(signal: Signal) throws {
    let place = try Place()
    try "30 0\n".write(toFile: place.failures, atomically: false, encoding: .utf8)
    let begatd = try place.start(Self.broken)
    _ = try place.socket.take(until: "STATUS=does not start: ")
    let watch = Stopwatch()
    try begatd.send(signal)
    #expect(try begatd.awaitEnd(within: .seconds(5)) == .exited(code: 0))
    #expect(watch.elapsed < .seconds(1), "\(watch.elapsed)")
    #expect(access(place.failures, F_OK) == -1)
    #expect(try place.start(Self.broken).awaitEnd(within: .seconds(5)) == .exited(code: 78))
  }

  @Test("SIGHUP asks for another attempt")
  func aReload() throws {
    let place = try Place()
    try "30 0\n".write(toFile: place.failures, atomically: false, encoding: .utf8)
    let begatd = try place.start(Self.broken)
    for _ in 0..<3 {
      _ = try place.socket.take(until: "STATUS=does not start: ")
      try begatd.send(.hangUp)
    }
    _ = try place.socket.take(until: "STATUS=does not start: ")
    try stop(begatd)
  }

  @Test("an address in use waits before the exit, and nothing of begatd's is left meanwhile")
  func anAddressInUse() throws {
    let place = try Place()
    let holder = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
    let port = try #require(try holder.descriptor.localAddress().address?.port)
    let configuration = Self.sound.replacing("127.0.0.1:0", with: "127.0.0.1:\(port)")
    let first = try place.start(configuration)
    #expect(try first.awaitEnd() == .exited(code: 1))
    #expect(first.errors.text.contains("Address already in use"))
    let second = try place.start(configuration)
    let message = try #require(try place.socket.take(until: "STATUS=does not start: ").last)
    #expect(message.contains { $0.contains("Address already in use") && $0.contains("tried again in 1s") })
    #expect(ProcessFacts.children(of: second.process).isEmpty)
    #expect(try second.awaitEnd() == .exited(code: 1))
    #expect(second.errors.lines(containing: "start 2 in a row that fails").count == 1, "\(second.errors.text)")
  }

  @Test("clients of a passed socket wait for the repair, and are served")
  func passedSockets() throws {
    let place = try Place()
    try "30 0\n".write(toFile: place.failures, atomically: false, encoding: .utf8)
    let port = try FreePorts.addresses(1)[0]
    let script = """
      import os, socket, sys
      host, port = sys.argv[1].split(":")
      passed = socket.create_server((host, int(port)))
      os.dup2(passed.fileno(), 3, inheritable=True)
      os.set_inheritable(3, True)
      os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="a", LISTEN_PID=str(os.getpid()))
      os.execv(sys.argv[2], sys.argv[2:])
      """
    let begatd = try place.start(
      "[service.echo]\nserve = \"eco\"\nlisten-stream = \"fd:a\"\n",
      wrapper: [try Programs.tool("python3"), "-c", script, port])
    _ = try place.socket.take(until: "STATUS=does not start: ")
    let client = try Client(port)
    try client.send("waited")
    try place.repair("[service.echo]\nserve = \"echo\"\nlisten-stream = \"fd:a\"\n")
    #expect(try client.receive(count: 6) == Array("waited".utf8))
    client.hangUp()
    try stop(begatd)
  }

  @Test("a wrong command line waits too, where systemd has started begatd")
  func aWrongCommandLine() throws {
    let place = try Place()
    let asUnit = shell("SYSTEMD_EXEC_PID=$$ exec \"$0\" \"$@\"")
    func start(_ wrapper: [String]) throws -> RunningProgram {
      try place.start(Self.sound, wrapper: wrapper, options: ["--nonsense"])
    }
    let first = try start(asUnit)
    #expect(try first.awaitEnd() == .exited(code: 64))
    #expect(first.errors.lines.count == 1 && first.errors.text.contains("--nonsense"), "\(first.errors.text)")
    let second = try start(asUnit)
    let message = try #require(try place.socket.take(until: "STATUS=does not start: ").last)
    #expect(message.contains { $0.contains("--nonsense") && $0.contains("tried again in 1s") }, "\(message)")
    #expect(try second.awaitEnd() == .exited(code: 64))
    let third = try start(asUnit)
    _ = try place.socket.take(until: "STATUS=does not start: ")
    try stop(third)
    // A child of a unit's process has the same variables.
    for _ in 0..<2 {
      let child = try start(shell("SYSTEMD_EXEC_PID=1 exec \"$0\" \"$@\""))
      #expect(try child.awaitEnd() == .exited(code: 64))
      #expect(child.errors.text.contains("Usage: "), "\(child.errors.text)")
    }
    #expect(access(place.failures, F_OK) == -1)
    let begatd = try place.start(Self.sound, wrapper: asUnit)
    _ = try place.socket.take(until: "READY=1")
    try stop(begatd)
  }

  @Test("damaged contents of the file do no harm", arguments: ["", "x", "1 zz\n", "\0\0\0"])
  func damage(contents: String) throws {
    let place = try Place()
    try contents.write(toFile: place.failures, atomically: false, encoding: .utf8)
    #expect(try place.start(Self.broken).awaitEnd(within: .seconds(5)) == .exited(code: 78))
    #expect(try String(contentsOfFile: place.failures, encoding: .utf8).hasPrefix("1 "))
  }

  @Test("without a service manager every failure exits immediately")
  func byHand() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(Self.broken, to: "begatd.toml")
    for _ in 0..<3 {
      let begatd = try RunningProgram.run(
        try Programs.begatd(), ["--config", file], environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"],
        within: .seconds(5))
      #expect(begatd.status == .exited(code: 78))
      #expect(access(directory.path("run/start-failures"), F_OK) == -1)
    }
  }
}
