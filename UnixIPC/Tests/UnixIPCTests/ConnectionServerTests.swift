import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct ConnectionServerTests {
  @Test("serves each connection in a process of its own, at most so many at a time")
  func keepsLimit() throws { try expectOutput("server-limit", #/process-probe: 127\.0\.0\.1:\d+: thrown\n/#) }

  @Test("reports the start of each child before its end")
  func reportsStarts() throws { try ProbeProgram.check("server-starts") }

  @Test("lets connections go on when it is told to stop")
  func drains() throws { try ProbeProgram.check("server-drain") }

  @Test("ends what goes on after the grace period")
  func ends() throws { try ProbeProgram.check("server-kill") }

  @Test("reaps where it was started with SIGCHLD ignored")
  func reaps() throws { try ProbeProgram.check("server-ignored-children") }

  @Test("stops at a deadline and when it is cancelled, and leaves the signals as they were")
  func stops() throws { try ProbeProgram.check("server-deadline") }

  @Test("drains as always after a deadline of the thread")
  func drainsAfterADeadline() throws { try ProbeProgram.check("server-deadline-drain") }

  @Test("restores a mask that has SIGRTMAX")
  func restoresMask() throws { try ProbeProgram.check("server-mask") }

  @Test("lets clients wait while descriptors are used up")
  func outlivesShortage() throws { try ProbeProgram.check("server-shortage") }

  @Test("removes the file of its Unix socket")
  func removesFile() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("server-unix", directory["socket"])
  }

  /// The error of a handler is a line that names the program and the client.
  private func expectOutput(_ subcommand: String, _ output: Regex<Substring>) throws {
    let result = try ProbeProgram(words: [subcommand]).run()
    #expect(result.status.isSuccess && result.output.wholeMatch(of: output) != nil, "\(result.output)")
  }

  @Test("is short: a client is answered by the documentation's program, which SIGTERM ends")
  func snippet() throws {
    let ends = try PipeEnds()
    let output = ends.readEnd
    let writing = ends.writeEnd
    var program = Program(path: try ProbeProgram(name: "ForkingServer").path(), arguments: ["ForkingServer"])
    program.leadsGroup = true
    let null = try Descriptor.open("/dev/null", .readOnly)
    let child = try program.spawn(descriptors: [null.number, writing.number, writing.number])
    _ = consume writing
    var lines = BufferedReader(output)
    let deadline = Deadline(after: .seconds(20))
    let first = try lines.readLine(until: deadline).map { String(decoding: $0, as: UTF8.self) }
    let port = try #require(first?.split(separator: " ").last.flatMap { UInt16($0) }, "\(first ?? "")")
    let client = try ClientSocket.connect(to: .ipv4(.loopback, port: port), until: deadline)
    let answer = String(decoding: try client.receive(maxCount: 200, until: deadline), as: UTF8.self)
    #expect(answer.hasPrefix("Hello there, 127.0.0.1, it's now "), "\(answer)")
    child.send(.terminate)
    let rest = String(decoding: try lines.readToEnd(limit: 1000, until: deadline), as: UTF8.self)
    let events = [" begat \\d+ for 127.0.0.1 at ", " reaped \\d+: exit 0 at ", " ended by SIGTERM at "]
    for event in events { #expect(try rest.contains(Regex("ForkingServer \\d+:\(event)")), "\(rest)") }
    let status = try child.waitForExit()
    #expect(status == .exited(code: 0))
  }
}
