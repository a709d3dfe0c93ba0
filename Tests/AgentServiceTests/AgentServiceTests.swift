import CSharedLayouts
import ControlProtocol
import Monitoring
import NetworkServices
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import AgentService

/// The agent, over a page and scoreboards.
@Suite(.timeLimit(.minutes(1))) struct AgentServiceTests {
  private final class Shared {
    let state = SharedState()
    private let page: StatePage

    /// - Parameter services: names with the connections that are open and may be.
    init(_ services: (name: String, active: UInt32, limit: UInt64?)...) throws {
      page = try StatePage(capacity: 1 << 16)
      var content = DaemonState()
      content.state = .serving
      for (index, service) in services.enumerated() {
        let object = try Scoreboard.create(slotCount: 256)
        let board = try Scoreboard(object, service: service.name, slotCount: 256)
        board.header.pointee.active = service.active
        var row = ServiceState(name: service.name, state: .serving)
        row.limit = service.limit
        row.listeners = [
          ListenerState(process: 12, generation: 1, role: .current, startTime: 1, board: UInt32(index))
        ]
        content.services.append(row)
        try state.takeBoard(UInt32(index), object)
      }
      #expect(page.write(content.encoded))
      try state.takePage(page.file.descriptor.duplicate())
    }
  }

  /// The answer to a client that sends a text and closes its side, or waits.
  private func answer(
    _ service: AgentService, to text: String, ending: Bool = false
  ) throws -> (text: String, time: Duration) {
    let pair = try SocketPair(kind: .stream)
    let client = pair.first
    let counts = UnsafeMutablePointer<UInt64>.allocate(capacity: 2)
    counts.initialize(repeating: 0, count: 2)
    let waiting = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    waiting.initialize(to: 0)
    defer {
      counts.deallocate()
      waiting.deallocate()
    }
    try client.sendAll(Array(text.utf8), until: .immediate)
    if ending { try client.shutDownSending() }
    let tally = Tally(received: counts, sent: counts + 1, waiting: waiting)
    var connection = Connection(socket: pair.second, peer: Peer(address: nil), tally: tally)
    let start = SystemClock.monotonic()
    try service.serve(&connection)
    let time = Duration.nanoseconds(SystemClock.monotonic() - start)
    _ = consume connection
    var reader = BufferedReader(client)
    let line = try reader.readLine(limit: 1000, until: Deadline(after: .seconds(5))) ?? []
    return (String(decoding: line, as: UTF8.self), time)
  }

  @Test("answers a line immediately, and one that does not come after a quarter of a second")
  func answersImmediately() throws {
    let shared = try Shared(("time", 0, 10))
    let service = AgentService(shared.state, serviceName: "agent", weight: .full)
    for (text, ending) in [("time\n", false), ("time\r\n", false), ("\n", false), ("time", true), ("", true)] {
      let answer = try answer(service, to: text, ending: ending)
      #expect(answer.text == "ready up 100%" && answer.time < .milliseconds(200), "\(text)")
    }
    #expect(try answer(service, to: "other\n").text == "stopped # no service other is configured")
    #expect(try answer(service, to: "GET /\r\n\r\n").text == "stopped # agent-send is not the name of a service")
    // More than it reads.
    let long = try answer(service, to: String(repeating: "t", count: 5000))
    #expect(long.text.hasPrefix("stopped # agent-send is not the name") && long.time < .milliseconds(200))
    for text in ["", "time"] {
      let late = try answer(service, to: text)
      #expect(late.text == "ready up 100%" && late.time >= .milliseconds(245), "\(late)")
    }
  }

  @Test("leaves HAProxy as it is where it knows nothing")
  func knowsNothing() throws {
    let service = AgentService(SharedState(), serviceName: "agent", weight: .full)
    #expect(try answer(service, to: "time\n").text.hasPrefix("# begatd has not published its state"))
  }

  @Test(
    "gives the weight of the places that are free",
    arguments: [
      (0, 256, 100), (1, 256, 100), (64, 256, 75), (128, 256, 50), (255, 256, 10), (256, 256, 10),
      (1, 3, 67), (1, 1, 10), (7, nil, 100), (7, .max, 100),
    ] as [(UInt32, UInt64?, Int)])
  func givesFreePlaces(active: UInt32, limit: UInt64?, weight: Int) throws {
    let shared = try Shared(("busy", active, limit), ("time", 0, 10), ("agent", 9, 10))
    let free = AgentService(shared.state, serviceName: "agent", weight: .free)
    #expect(free.answer(.service("busy")) == .ready(weight: weight))
    #expect(free.answer(.service("time")) == .ready(weight: 100))
    // The fullest service decides; the agent's own clients do not.
    #expect(free.answer(.everything) == .ready(weight: weight))
    let full = AgentService(shared.state, serviceName: "agent", weight: .full)
    #expect(full.answer(.service("busy")) == .ready(weight: 100))
  }
}
