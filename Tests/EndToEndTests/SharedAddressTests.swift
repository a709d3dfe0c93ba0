import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Two services at one address, each on an interface of its own, whose sockets outlive begatd.
@Suite(.timeLimit(.minutes(10)), .enabled(if: Machine.isRoot, "only root can make networks"))
struct SharedAddressTests {
  private static let configuration = """
    [service.near]
    serve = "echo"
    listen-stream = ["0.0.0.0:7007"]
    listen-datagram = ["0.0.0.0:7007"]
    bind-to-device = "lo"
    allow = ["127.0.0.0/8"]
    [service.far]
    serve = "time"
    listen-stream = ["0.0.0.0:7007"]
    listen-datagram = ["0.0.0.0:7007"]
    bind-to-device = "left"

    """

  private let here: NetworkNamespace
  private let there: NetworkNamespace

  init() throws {
    here = try NetworkNamespace()
    there = try NetworkNamespace()
    try here.join(there)
  }

  /// A client of each service, which may have to wait for its answer.
  private struct Pair {
    let near: Client
    let far: Client

    init(from there: NetworkNamespace) throws {
      near = try Client("127.0.0.1:7007")
      far = try there.enter { try Client("10.99.0.1:7007") }
      try near.send("x")
    }

    func expectAnswers(_ log: String) throws {
      #expect(try near.receive(count: 1) == Array("x".utf8), "\(log)")
      #expect(try far.receive(count: 4).count == 4, "\(log)")
      near.hangUp()
    }
  }

  @Test func aRestartRefusesNoClientOfEither() throws {
    try here.enter {
      let manager = try StoringManager(in: try TemporaryDirectory())
      try manager.start(Self.configuration)
      let names = ["begat-datagram 0.0.0.0;7007 left", "begat-datagram 0.0.0.0;7007 lo"]
      try manager.awaitNames { $0.filter { $0.hasPrefix("begat-datagram ") } == names }
      try Pair(from: there).expectAnswers(manager.log)
      try manager.stop()
      let waiting = try Pair(from: there)
      try manager.start()
      try waiting.expectAnswers(manager.log)
      try manager.daemon.kill()
      let others = try Pair(from: there)
      // The other order is no reason to exchange them.
      let parts = Self.configuration.split(separator: "[service.far]")
      try manager.start("[service.far]\(parts[1])\(parts[0])")
      try others.expectAnswers(manager.log)
      #expect(!manager.log.contains("bound anew"), "\(manager.log)")
      try manager.end()
    }
  }

  @Test func anUpgradeKeepsBothSockets() throws {
    try here.enter {
      let installation = try Installation()
      let daemon = try installation.daemon(Self.configuration)
      for _ in 0..<2 {
        let run = try installation.upgrade()
        #expect(run.output.text.contains("; 2 listeners replaced, "), "\(run.errors.text)\n\(daemon.log.text)")
        try Pair(from: there).expectAnswers(daemon.log.text)
      }
      #expect(!daemon.log.text.contains("bound anew"), "\(daemon.log.text)")
      try daemon.stop()
    }
  }
}
