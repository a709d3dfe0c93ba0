import CSharedLayouts
import ControlProtocol
import Monitoring
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import StatusService

/// The documents, made of a state page and scoreboards.
@Suite struct StatusAnswerTests {
  private static let client = "192.0.2.77"
  private static let denied = "198.51.100.0/24"

  /// A service with one open connection, and a denial.
  private final class Shared {
    let state = SharedState()
    let page: StatePage

    init(_ daemon: DaemonStatus.State = .serving, service: ServiceStatus.State = .serving) throws {
      page = try StatePage(capacity: 1 << 16)
      let object = try Scoreboard.create(slotCount: 2)
      let board = try Scoreboard(object, service: "echo", slotCount: 2)
      board.header.pointee.accepted = 5
      board.header.pointee.active = 1
      let client = SocketAddress(host: StatusAnswerTests.client, port: 4711)
      board.slot(0).pointee = begat_slot(process: 99, peer: PeerFields(client), started: 1)
      var content = DaemonState()
      content.state = daemon
      content.version = "1.2.3"
      var echo = ServiceState(name: "echo", state: service)
      echo.limit = 2
      echo.listeners = [ListenerState(process: 12, generation: 1, role: .current, startTime: 1, board: 3)]
      content.services = [echo]
      content.denials = [DenialState(network: StatusAnswerTests.denied, service: nil, endTime: nil)]
      #expect(page.write(content.encoded))
      try state.takePage(page.file.descriptor.duplicate())
      try state.takeBoard(3, object)
    }
  }

  private func service(_ state: SharedState, showsPeers: Bool = false) -> StatusService {
    StatusService(
      state, serviceName: "page", showsPeers: showsPeers, names: ["status.example"], headTimeout: .seconds(5))
  }

  private func get(
    _ path: String, _ service: StatusService, method: String = "GET", host: String? = "localhost", isUnix: Bool = false
  ) throws -> (status: AnswerStatus, type: String, body: String) {
    let hostLine = host.map { "Host: \($0)\r\n" } ?? ""
    let text = "\(method) \(path) HTTP/1.\(host == nil ? 0 : 1)\r\n\(hostLine)\r\n"
    let answer = service.answer(try RequestHead(Array(text.utf8)[...]), isUnix: isUnix)
    return (answer.status, "\(answer.mediaType)", String(decoding: answer.body, as: UTF8.self))
  }

  @Test(
    arguments: [
      ("/", "text/html; charset=utf-8", "<!DOCTYPE html>"),
      ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "# HELP begat_up "),
      ("/status.json", "application/json", #"{"begatd":{"version":"1.2.3""#),
      ("/healthz", "text/plain; charset=utf-8", "ok\n"), ("/readyz", "text/plain; charset=utf-8", "ready\n"),
      ("/metrics?x=/y", "text/plain; version=0.0.4; charset=utf-8", "# HELP begat_up "),
      ("http://192.0.2.1:80/readyz", "text/plain; charset=utf-8", "ready\n"),
    ])
  func areFoundByTheirPaths(path: String, type: String, beginning: String) throws {
    let answer = try get(path, service(try Shared().state))
    #expect(answer.status == .ok && answer.type == type && answer.body.hasPrefix(beginning))
  }

  @Test(arguments: [
    "/metrics/", "//", "/Metrics", "/status.json/../metrics", "/%6detrics", "/favicon.ico", "/healthz#a",
  ])
  func othersAreNotFound(path: String) throws {
    #expect(try get(path, service(try Shared().state)).status == .notFound)
  }

  @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "get", "TRACE"])
  func areNotChanged(method: String) throws {
    let service = service(try Shared().state)
    #expect(try get("/", service, method: method).status == .methodNotAllowed)
    #expect(try get("/", service, method: method, host: "evil.example").status == .misdirectedRequest)
  }

  @Test func areForThoseWhoKnowTheName() throws {
    let service = service(try Shared().state)
    let refused = try get("/healthz", service, host: "evil.example:9345")
    #expect(refused.status == .misdirectedRequest && refused.body.contains("server-names of [service.page]"))
    #expect(!refused.body.contains("evil"))
    for host in ["status.example", "[::1]:1", nil] { #expect(try get("/healthz", service, host: host).status == .ok) }
    // No browser comes through a Unix socket.
    #expect(try get("/healthz", service, host: "evil.example", isUnix: true).status == .ok)
    // The target's name counts, not the other one.
    #expect(try get("http://evil.example/", service, host: "localhost").status == .misdirectedRequest)
  }

  @Test(arguments: ["/", "/metrics", "/status.json"])
  func hideClientsUnlessTheyAreToBeShown(path: String) throws {
    let shared = try Shared()
    let hidden = try get(path, service(shared.state)).body
    #expect(!hidden.contains(Self.client) && !hidden.contains("198.51.100"))
    let shown = try get(path, service(shared.state, showsPeers: true)).body
    let isShown = path != "/metrics"
    #expect(shown.contains(Self.client) == isShown && shown.contains(Self.denied) == isShown)
    if path == "/metrics" {
      #expect(hidden.contains("begat_denied_networks 1") && shown.contains("begat_denied_networks 1"))
    }
  }

  @Test func areMadeOfTheScoreboardsThatAreThere() throws {
    let shared = try Shared()
    let service = service(shared.state)
    let accepted = #"begat_connections_accepted_total{service="echo"} "#
    #expect(try get("/metrics", service).body.contains(accepted + "5\n"))
    shared.state.dropBoard(3)
    #expect(try get("/metrics", service).body.contains(accepted + "0\n"))
  }

  @Test func tellWhyThereShouldBeNoNewClients() throws {
    let announcing = try get("/readyz", service(try Shared(.announcing).state))
    #expect(announcing.status == .serviceUnavailable && announcing.body == "begatd has announced its stop\n")
    let failed = try get("/readyz", service(try Shared(service: .failed).state))
    #expect(failed.status == .serviceUnavailable && failed.body == "service echo has failed\n")
  }

  @Test func withoutAStateThereIsOnlyHealth() throws {
    let service = service(SharedState())
    for path in ["/", "/metrics", "/status.json", "/readyz"] {
      #expect(try get(path, service).status == .serviceUnavailable)
    }
    #expect(try get("/healthz", service).status == .ok)
  }

  @Test func areMadeOfWhateverAScoreboardHolds() throws {
    let shared = try Shared()
    let service = service(shared.state, showsPeers: true)
    let size = Scoreboard.size(slotCount: 2)
    var random = SeededRandom(state: 15)
    for round in 0..<300 {
      // A process that was taken over has written what it likes.
      let object = try MemoryFile.create(name: "scribbled", size: size)
      let memory = try MemoryMapping.file(object, size: size, writable: true)
      for index in 0..<size {
        memory.unsafeBytes[index] = round % 3 == 0 ? 0xff : UInt8.random(in: 0...255, using: &random)
      }
      if round % 3 == 1 { memory.unsafeBytes[63] = 0x80 }
      try shared.state.takeBoard(3, object)
      for path in ["/", "/metrics", "/status.json"] { #expect(try get(path, service).status == .ok) }
    }
  }
}
