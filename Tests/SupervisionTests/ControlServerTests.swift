import Control
import Glibc
import Monitoring
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// The server of the control sockets, in this process and with short limits.
@Suite(.timeLimit(.minutes(30))) struct ControlServerTests {
  /// Answers `status` and `stop` by counting, and keeps the replies of `reload`.
  private final class Handler: ControlHandler {
    var requests: [ControlRequest] = []
    var kept: [ControlReply] = []
    var answer = ControlAnswer.order(OrderReport("done", count: 0))

    func handle(_ request: ControlRequest, reply: ControlReply) {
      requests.append(request)
      if case .reload = request { kept.append(reply) } else if case .resume = request {} else { reply.send(answer) }
    }
  }

  /// A server, its handler and its directory.
  private final class World {
    let directory: TemporaryDirectory
    let server: ControlServer
    let handler = Handler()

    init(_ change: (inout ControlServer.Limits) -> Void = { _ in }) throws {
      let directory = try TemporaryDirectory(mode: 0o700)
      self.directory = directory
      var limits = ControlServer.Limits()
      change(&limits)
      let doors = try [("control", true), ("status", false)].map { name, takesOrders in
        ControlDoor(
          try UnixSocketFile.listen(at: directory[name], backlog: 128, access: .init(mode: 0o600)), path: name,
          takesOrders: takesOrders)
      }
      server = try ControlServer(doors, limits: limits)
      server.handler = handler
    }

    deinit { server.close() }

    func connect(_ name: String = "control") throws -> Descriptor {
      try ClientSocket.connect(to: .unixPath(UnixPath(directory[name])), until: Deadline(after: .seconds(10)))
    }

    /// Lets the server work until something holds.
    func run(until isMet: () throws -> Bool) throws {
      let deadline = Deadline(after: .seconds(20))
      while try !isMet() {
        try #require(!deadline.isExpired)
        let left = server.nextTime.map { max(0, $0 - SystemClock.monotonic()) } ?? 10_000_000
        let limit = Deadline(after: .nanoseconds(min(left, 10_000_000)))
        Descriptor.withBorrowed(server.number) { _ = $0.wait(for: .readable, until: limit) }
        server.turn()
      }
    }

    /// Waits until a peer that asks nothing has had its time.
    func outlastAnother() throws {
      let count = server.peerCount
      let silent = try connect()
      try run { server.peerCount == count + 1 }
      try run { server.peerCount == count }
      _ = consume silent
    }

    /// The next line that comes; nil at the end of the stream.
    func line(_ client: borrowing Descriptor) throws -> String? {
      var bytes: [UInt8] = []
      while bytes.last != UInt8(ascii: "\n") {
        let number = client.number
        try run { !PollSet.readiness(of: number, for: .readable).isEmpty }
        var byte: UInt8 = 0
        let count = try withUnsafeMutableBytes(of: &byte) { try client.receive(into: $0, waiting: false) }
        guard count > 0 else { return nil }
        bytes.append(byte)
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private static let done = #"{"version":1,"ok":true,"message":"done","count":0,"problems":[]}"# + "\n"

  @Test("answers requests in their order, whole lines or pieces")
  func answersInOrder() throws {
    let world = try World()
    let client = try world.connect()
    let stop = String(decoding: ControlRequest.stop.line, as: UTF8.self)
    try client.sendAll(stop + "nonsense\r\n" + String(stop.prefix(10)))
    #expect(try world.line(client) == Self.done)
    #expect(try world.line(client)?.contains("not a JSON object: column 1: expected a value, found n;") == true)
    try client.sendAll(String(stop.dropFirst(10).dropLast()))
    // The end of the stream ends a line too.
    try client.shutDownSending()
    #expect(try world.line(client) == Self.done)
    #expect(try world.line(client) == nil)
    #expect(world.handler.requests == [.stop, .stop] && world.server.peerCount == 0)
  }

  @Test("takes questions only through the status socket")
  func takesQuestionsOnly() throws {
    let world = try World()
    let client = try world.connect("status")
    for request in ControlRequestSamples.all {
      try client.sendAll(request.line)
      let answer = try #require(try world.line(client))
      #expect((answer == Self.done) == request.name.isQuestion, "\(answer)")
      if !request.name.isQuestion {
        #expect(answer.contains("status answers questions only; \(request.name.rawValue) is for"))
      }
    }
    #expect(world.handler.requests.allSatisfy { $0.name.isQuestion })
  }

  @Test("lets root alone command where the configuration says so")
  func obeysRootOnly() throws {
    let world = try World()
    world.server.obeysRootOnly = true
    let doors = world.server.doors
    #expect(doors[0].refusal(of: 0) == nil && doors[0].refusal(of: 1000) != nil && doors[0].refusal(of: nil) != nil)
    #expect(doors[1].refusal(of: 1000) == nil)
    let client = try world.connect()
    try client.sendAll(ControlRequest.stop.line)
    let answer = try #require(try world.line(client))
    #expect(geteuid() == 0 ? answer == Self.done : answer.contains("only root may command this begatd"))
  }

  @Test("answers later, however long that takes, and knows when nobody waits any more")
  func answersLater() throws {
    let world = try World { $0.patience = 20_000_000 }
    let patient = try world.connect()
    let leaving = try world.connect()
    try patient.sendAll(ControlRequest.reload(isDryRun: false).line)
    try world.run { world.handler.kept.count == 1 }
    try leaving.sendAll(ControlRequest.reload(isDryRun: false).line)
    try world.run { world.handler.kept.count == 2 }
    try world.outlastAnother()
    #expect(world.handler.kept.map(\.isOpen) == [true, true])
    _ = consume leaving
    try world.run { !world.handler.kept[1].isOpen }
    for reply in world.handler.kept { reply.send(.order(OrderReport("done", count: 0))) }
    world.handler.kept[0].send(.order(OrderReport("twice", count: 0)))
    #expect(try world.line(patient) == Self.done)
    try world.run { world.server.peerCount == 0 }
    #expect(try world.line(patient) == nil)
  }

  @Test("answers a request that was given up")
  func answersWhatWasGivenUp() throws {
    let world = try World()
    let client = try world.connect()
    try client.sendAll(ControlRequest.resume(.all).line)
    #expect(try world.line(client)?.contains("the request was given up") == true)
  }

  @Test("drops a peer that sends half a line, one that sends nothing and one that reads nothing")
  func dropsSlowPeers() throws {
    let world = try World { $0.patience = 50_000_000 }
    world.handler.answer = .connections(
      ConnectionReport(
        (0..<10_000).map { slot in
          let id = ConnectionID(service: "hello", generation: 1, slot: slot, started: 0)
          return ConnectionStatus(id: id, process: 1, listener: 1, age: .zero)
        }))
    let half = try world.connect()
    let silent = try world.connect()
    let deaf = try world.connect()
    try half.sendAll(#"{"version":1"#)
    try deaf.sendAll(ControlRequest.connections(service: nil).line)
    try world.run { world.handler.requests.count == 1 }
    #expect(world.server.peerCount == 3)
    try world.run { world.server.peerCount == 0 }
    #expect(try world.line(half) == nil)
    #expect(try world.line(silent) == nil)
  }

  @Test("closes after a line without end")
  func closesAfterAnEndlessLine() throws {
    let world = try World()
    let client = try world.connect()
    try client.sendAll([UInt8](repeating: UInt8(ascii: "x"), count: 20_000))
    #expect(try world.line(client)?.contains("a request of more than 8192 bytes") == true)
    try world.run { world.server.peerCount == 0 }
  }

  @Test("takes a line of the greatest length")
  func takesTheLongestLine() throws {
    let world = try World()
    let client = try world.connect()
    var line = ControlRequest.stop.line.dropLast()
    line += [UInt8](repeating: 0x20, count: ControlLanguage.maxRequestLength - line.count)
    try client.sendAll(Array(line) + Array("\r\n".utf8))
    #expect(try world.line(client) == Self.done)
  }

  @Test("makes room for those who wait, however many ask nothing")
  func makesRoom() throws {
    let world = try World {
      $0.maxPeers = 4
      $0.minStay = 1_000_000
    }
    let idle = DescriptorBag(try (0..<40).map { _ in try world.connect().release() })
    let client = try world.connect()
    try client.sendAll(ControlRequest.stop.line)
    #expect(try world.line(client) == Self.done)
    #expect(world.server.peerCount <= 4)
    // Those of the other socket are not in the way.
    #expect(idle.count == 40)
  }

  @Test("keeps peers whose request is pending when others wait")
  func keepsPendingPeers() throws {
    let world = try World {
      $0.maxPeers = 2
      $0.minStay = 0
    }
    let first = try world.connect()
    let second = try world.connect()
    try first.sendAll(ControlRequest.reload(isDryRun: false).line)
    try second.sendAll(ControlRequest.reload(isDryRun: false).line)
    try world.run { world.handler.kept.count == 2 }
    let third = try world.connect()
    try third.sendAll(ControlRequest.stop.line)
    let other = try world.connect("status")
    try other.sendAll(ControlRequest.status.line)
    #expect(try world.line(other) == Self.done)
    #expect(world.handler.requests.last == .status && world.server.peerCount == 3)
    world.handler.kept[0].send(.order(OrderReport("done", count: 0)))
    #expect(try world.line(third) == Self.done)
    #expect(world.handler.kept[1].isOpen)
  }
}

/// A request of each kind.
private enum ControlRequestSamples {
  static let all: [ControlRequest] = [
    .status, .connections(service: nil), .reload(isDryRun: true), .drain(.all, wait: .none), .resume(.all), .end(.all),
    .stop,
  ]
}

/// Descriptors that are open as long as it lives.
private final class DescriptorBag {
  private var numbers: [CInt] = []

  init(_ numbers: [CInt]) { self.numbers = numbers }
  var count: Int { numbers.count }
  deinit { for number in numbers { close(number) } }
}
