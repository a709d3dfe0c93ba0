import Glibc
import Testing
@_spi(Begat) import UnixCore

/// A machine that has no more of something.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct ShortageTests {
  /// Every client of `daytime` needs a process that is forked for it.
  private static func daytime(_ lines: String...) -> String {
    SampleConfiguration.service("daytime", (["spare-processes = 0"] + lines).joined(separator: "\n"))
  }
  private static let configuration = daytime() + SampleConfiguration.service("time")

  /// A limit of a process that prlimit(1) can change while it runs.
  enum Shortage: String, CaseIterable {
    case descriptors = "nofile"
    case processes = "nproc"

    /// The line of /proc/PID/limits.
    var title: String { self == .descriptors ? "Max open files" : "Max processes" }
    var complaint: String { self == .descriptors ? "accept: Too many open files" : "clone: Resource temporarily" }

    /// A limit that is reached already.
    func lowest(_ process: pid_t) throws -> Int {
      switch self {
      case .descriptors: (0...).first { ProcessFacts.descriptors(of: process)[$0] == nil }!
      case .processes: 1
      }
    }
  }

  @Test(arguments: Shortage.allCases)
  func clientsWaitUntilItIsOver(_ shortage: Shortage) throws {
    try withDaemon(Self.configuration) { daemon in
      let listener = try daemon.listener("daytime")
      // What is set up at first use is there.
      #expect(Expected.isDaytime(try ask(daemon.address("daytime"))))
      _ = try daemon.awaitConnections(0, of: "daytime")
      let before = try softLimit(shortage.title, of: listener)
      try setSoftLimit(shortage.rawValue, of: listener, to: "\(try shortage.lowest(listener))")

      let ticks = try #require(ProcessFacts(listener)?.processorTicks)
      let client = try Client(try daemon.address("daytime"))
      try daemon.log.awaitLines(containing: "daytime: \(shortage.complaint)")
      #expect(Expected.isTime(try ask(daemon.address("time"))), "another service is concerned")
      #expect(!client.hears(within: .seconds(2)))
      let used = try #require(ProcessFacts(listener)?.processorTicks) - ticks
      #expect(Double(used) / Double(sysconf(CInt(_SC_CLK_TCK))) <= 0.1, "the listener spins")

      try setSoftLimit(shortage.rawValue, of: listener, to: before)
      let watch = Stopwatch()
      #expect(Expected.isDaytime(try client.receiveAll()))
      #expect(watch.elapsed < .seconds(1))
      try daemon.log.awaitLines(containing: "daytime: clients are served again after")
      #expect(Expected.isDaytime(try ask(daemon.address("daytime"))))
      #expect(
        daemon.linesAfterStart.count { $0.contains("daytime: ") && !$0.contains(" pid ") } == 2, "\(daemon.log.text)")
      #expect(try daemon.listener("daytime") == listener)
    }
  }

  /// A connection that was accepted and has no process: it counts, and its client would wait as long as the shortage.
  @Test func aClientThatCannotBeServedIsTurnedAway() throws {
    let configuration = Self.daytime("first-byte-timeout = \"1s\"")
    try withDaemon("[daemon]\ndrain-timeout = \"30s\"\n" + configuration) { daemon in
      let listener = try daemon.listener("daytime")
      #expect(Expected.isDaytime(try ask(daemon.address("daytime"))))
      _ = try daemon.awaitConnections(0, of: "daytime")
      try setSoftLimit("nproc", of: listener, to: "1")
      let (first, second) = (try Client(try daemon.address("daytime")), try Client(try daemon.address("daytime")))
      let watch = Stopwatch()
      #expect(first.awaitEnd(within: .seconds(4)))
      #expect(watch.elapsed > .milliseconds(800) && watch.elapsed < .milliseconds(2500), "\(watch.elapsed)")
      try daemon.log.awaitLines(containing: "daytime: a client was turned away: no process could be had for it in 1s")
      // A stop does not wait for the other one.
      let stop = Stopwatch()
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(5))
      #expect(stop.elapsed < .seconds(2), "\(stop.elapsed)")
      #expect(second.awaitEnd())
    }
  }

  /// Who has hung up does not keep its place until then.
  @Test func aClientThatHasGoneIsForgotten() throws {
    try withDaemon(Self.daytime()) { daemon in
      let listener = try daemon.listener("daytime")
      #expect(Expected.isDaytime(try ask(daemon.address("daytime"))))
      _ = try daemon.awaitConnections(0, of: "daytime")
      let before = try softLimit("Max processes", of: listener)
      let open = ProcessFacts.descriptors(of: listener).count
      try setSoftLimit("nproc", of: listener, to: "1")
      let client = try Client(try daemon.address("daytime"))
      try daemon.log.awaitLines(containing: "daytime: clone: Resource temporarily")
      #expect(ProcessFacts.descriptors(of: listener).count == open + 1)
      client.reset()
      #expect(eventually { ProcessFacts.descriptors(of: listener).count == open })
      try setSoftLimit("nproc", of: listener, to: before)
      #expect(Expected.isDaytime(try ask(daemon.address("daytime"))))
    }
  }

  @Test func aLogThatTakesNothingHoldsNobodyUp() throws {
    let wrapper = ["/bin/sh", "-c", "exec \"$0\" \"$@\" 2>/dev/full"]
    try withDaemon(Self.configuration, wrapper: wrapper) { daemon in
      for _ in 0..<20 {
        let reply = try ask(daemon.address("daytime"))
        #expect(Expected.isDaytime(reply))
      }
    }
  }

  @Test func aLogWhoseReaderStopsHoldsNobodyUp() throws {
    let unread = try PipeEnds()
    // Full from the beginning.
    try unread.writeEnd.setNonBlocking(true)
    while (try? unread.writeEnd.writeAll("x")) != nil {}
    try unread.writeEnd.setNonBlocking(false)
    let wrapper = ["/bin/sh", "-c", "exec \"$0\" \"$@\" 2>&4"]
    try withDaemon(Self.configuration, wrapper: wrapper, passing: [unread.writeEnd.number]) { daemon in
      for _ in 0..<20 {
        let reply = try ask(daemon.address("daytime"))
        #expect(Expected.isDaytime(reply))
      }
    }
    _ = consume unread
  }
}
