import Glibc
import Testing
@_spi(Begat) import UnixCore

/// That places are given back, however a connection ends: exactly as many clients of a source are served afterwards.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct AdmissionCounterTests {
  private static let source = "127.0.0.2"
  private static let limit = 32

  /// How all connections of a source end.
  enum End: String, CaseIterable, CustomTestStringConvertible {
    case hangUp, reset, kill, crash, stopAndKill
    var testDescription: String { rawValue }
    var signals: [CInt] {
      switch self {
      case .hangUp, .reset: []
      case .kill: [SIGKILL]
      case .crash: [SIGSEGV]
      case .stopAndKill: [SIGSTOP, SIGKILL]
      }
    }
  }

  @Test(arguments: End.allCases)
  func afterTheEndOfAll(_ end: End) throws {
    try withDaemon(SampleConfiguration.service("command")) { daemon in
      let address = try daemon.address("command")
      for _ in 0..<3 {
        let crowd = try Crowd(Self.limit, at: address, from: Self.source)
        let processes = try daemon.awaitConnections(Self.limit, of: "command")
        for process in processes { for signal in end.signals { try Signal(rawValue: signal).send(to: process) } }
        switch end {
        case .hangUp: crowd.hangUp()
        case .reset: for client in crowd.served { client.reset() }
        case .kill, .crash, .stopAndKill: for client in crowd.served { #expect(client.awaitEnd()) }
        }
        _ = try daemon.awaitConnections(0, of: "command")
      }
      try expectPlaces(Self.limit, in: daemon)
      if end == .crash { #expect(daemon.log.lines(containing: ", crashed, SIGSEGV").count == 3 * Self.limit) }
    }
  }

  @Test func afterTheEndOfHalf() throws {
    try withDaemon(SampleConfiguration.service("command")) { daemon in
      let crowd = try Crowd(Self.limit, at: try daemon.address("command"), from: Self.source)
      let processes = try daemon.awaitConnections(Self.limit, of: "command")
      for process in processes.prefix(Self.limit / 2) { try Signal.kill.send(to: process) }
      _ = try daemon.awaitConnections(Self.limit / 2, of: "command")
      try expectPlaces(Self.limit / 2, in: daemon)
      _ = crowd
    }
  }

  @Test func afterThousandsOfShortOnes() throws {
    try withDaemon(SampleConfiguration.service("command", "log = \"none\"")) { daemon in
      let address = try daemon.address("command")
      // Some are served, some are refused, some are gone before anybody looks.
      for number in 0..<3000 {
        let client = try Client(address, from: Self.source)
        if number % 3 == 0 { _ = client.hears(within: .seconds(1)) }
        client.hangUp()
      }
      _ = try daemon.awaitConnections(0, of: "command")
      try expectPlaces(Self.limit, in: daemon)
    }
  }

  @Test func afterTheEndOfTheListener() throws {
    try withDaemon(SampleConfiguration.service("command")) { daemon in
      let crowd = try Crowd(Self.limit, at: try daemon.address("command"), from: Self.source)
      try Signal.kill.send(to: try daemon.listener("command"))
      for client in crowd.served { #expect(client.awaitEnd()) }
      try expectPlaces(Self.limit, in: daemon)
    }
  }

  /// A client that was accepted and has no process yet has a place too.
  @Test func afterAShortageOfProcesses() throws {
    try withDaemon(SampleConfiguration.service("command")) { daemon in
      let address = try daemon.address("command")
      let listener = try daemon.listener("command")
      let before = try softLimit("Max processes", of: listener)
      try setSoftLimit("nproc", of: listener, to: "1")
      let waiting = try (0..<5).map { _ in try Client(address, from: Self.source) }
      try daemon.log.awaitLines(containing: "clone: Resource temporarily")
      for client in waiting { client.hangUp() }
      try setSoftLimit("nproc", of: listener, to: before)
      try daemon.log.awaitLines(containing: "clients are served again after")
      // When the fifth has come and gone, so have those before it.
      try daemon.log.awaitLines(5, containing: "command: pid ")
      _ = try daemon.awaitConnections(0, of: "command")
      try expectPlaces(Self.limit, in: daemon)
    }
  }

  /// Asserts that so many more clients of the source are served, and that others have their own places.
  private func expectPlaces(_ count: Int, in daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let address = try daemon.address("command")
    let crowd = try Crowd(Self.limit + 8, at: address, from: Self.source)
    #expect(crowd.served.count == count, sourceLocation: sourceLocation)
    #expect(try Crowd(Self.limit, at: address, from: "127.0.0.3").served.count == Self.limit)
  }
}
