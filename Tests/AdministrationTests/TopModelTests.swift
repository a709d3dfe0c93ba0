import Control
import Monitoring
import Testing
import UnixIPC

@testable import Administration

/// The screen of `begat top` and its keys.
@Suite struct TopModelTests {
  private static func services(_ count: Int) -> [ServiceStatus] {
    (1...count).map { number in
      var service = ServiceStatus(name: "service-\(number)", state: .serving)
      service.addresses = [.init("127.0.0.1:\(9000 + number)", isDatagram: false), .init("[::1]:9", isDatagram: false)]
      service.limit = 256
      service.active = UInt64(number)
      service.rates = Rates(second: 1.5, minute: 20, quarterHour: 3)
      service.listeners = [
        ListenerStatus(process: 4_000_000, generation: 1, role: .current, age: .seconds(70), active: 3)
      ]
      return service
    }
  }

  private static func connections(_ count: Int) -> [ConnectionStatus] {
    (0..<count).map { number in
      var connection = ConnectionSelectionTests.connection(
        number % 2 == 0 ? "service-1" : "service-2", "192.0.2.\(number % 250):51312", age: number, slot: number)
      connection.received = UInt64(number) * 1000
      connection.sent = 5
      connection.waiting = .client
      return connection
    }
  }

  private static func model(services: Int = 3, connections: Int = 100) -> TopModel {
    var model = TopModel()
    let daemon = DaemonStatus(
      version: "1.0", process: 7, state: .serving, age: .seconds(500), configuration: "/etc/x")
    model.take(.status(StatusReport(daemon: daemon, services: Self.services(services))), to: .status)
    model.take(.connections(ConnectionReport(Self.connections(connections))), to: .connections(service: nil))
    return model
  }

  private static func texts(_ model: inout TopModel, _ columns: UInt16 = 80, _ rows: UInt16 = 24) -> [String] {
    model.lines(TerminalSize(columns: columns, rows: rows)).map(\.text)
  }

  @Test(
    "fills any screen, and no line is longer",
    arguments: [(80, 24), (200, 50), (40, 12), (20, 5), (10, 3), (1, 1), (80, 4), (500, 200)] as [(UInt16, UInt16)])
  func fillsTheScreen(columns: UInt16, rows: UInt16) {
    for services in [1, 3, 100] {
      for connections in [0, 1, 5000] {
        var model = Self.model(services: services, connections: connections)
        let lines = model.lines(TerminalSize(columns: columns, rows: rows))
        #expect(lines.count == Int(rows))
        for line in lines where columns >= 80 { #expect(line.text.utf8.count <= Int(columns), "\(line.text)") }
        for line in lines {
          let bytes = line.bytes(columns: Int(columns))
          let shown = String(decoding: bytes, as: UTF8.self).replacing(#/\u{1b}\[\d+m/#, with: "")
          #expect(shown.count <= Int(columns))
        }
      }
    }
  }

  @Test("shows services above and connections below")
  func showsBoth() {
    var model = Self.model()
    let lines = Self.texts(&model)
    #expect(lines[0] == "begatd 1.0  serving  up 8m  3 services  6 open  4.5/s  0 refused")
    #expect(lines[1].hasPrefix("SERVICE    STATE     OPEN  ACCEPTED  REFUSED  RATE  1MIN"))
    #expect(lines[2].hasPrefix("service-1  serving  1/256 ") && lines[2].hasSuffix("  127.0.0.1:9001 +1"))
    #expect(lines[5] == "")
    #expect(lines[6].split(separator: " ") == ["ID", "PID", "PEER", "AGE", "IN", "OUT", "WAITS", "FOR"])
    #expect(lines[7].hasPrefix("service-1/1.98.") && lines[7].contains("192.0.2.98:51312"))
    #expect(lines[23].hasPrefix("q quit") && lines[23].hasSuffix("1-16 of 100"))
    let wide = Self.texts(&model, 200, 50)
    #expect(wide[1].contains("15MIN") && wide[1].contains("PID") && wide[1].contains("AGE"))
  }

  @Test("arrow keys select a row, which stays selected and in sight")
  func selects() {
    var model = Self.model()
    _ = Self.texts(&model)
    for _ in 0..<30 { #expect(model.take(.down) == .nothing) }
    let selected = model.selectedConnection
    #expect(selected == model.connections[29].id)
    #expect(Self.texts(&model).contains { $0.hasPrefix("\(model.connections[29].id) ") })
    #expect(!Self.texts(&model).contains { $0.hasPrefix("\(model.connections[0].id) ") })
    _ = model.take(.character("r"))
    #expect(model.selectedConnection == selected && model.connections[70].id == selected)
    _ = model.take(.end)
    #expect(model.selectedConnection == model.connections.last?.id)
    _ = model.take(.home)
    #expect(model.selectedConnection == model.connections[0].id)
    _ = model.take(.pageDown)
    #expect(model.selectedConnection == model.connections[15].id)
    // The selected one ends: the next is in its place.
    let left = model.connections.filter { $0.id != model.selectedConnection }
    let next = model.connections[16].id
    model.take(.connections(ConnectionReport(left)), to: .connections(service: nil))
    #expect(model.selectedConnection == next)
    _ = model.take(.escape)
    #expect(model.selectedConnection == nil)
  }

  @Test("k ends a connection after a question")
  func ends() throws {
    var model = Self.model()
    #expect(model.take(.character("d")) == .nothing && model.prompt == .none)
    #expect(model.take(.character("k")) == .nothing && Self.texts(&model)[23].contains("arrow keys"))
    _ = model.take(.down)
    let id = try #require(model.selectedConnection)
    #expect(model.take(.character("k")) == .nothing)
    #expect(Self.texts(&model)[23] == "end (y/n)? \(id) of 192.0.2.98:51312")
    #expect(model.take(.character("n")) == .nothing && model.prompt == .none)
    _ = model.take(.character("k"))
    #expect(model.take(.character("y")) == .send(.end(.listed([.id(id)]))))
    model.take(.order(OrderReport("1 connection is ended", count: 1)), to: .end(.listed([.id(id)])))
    #expect(Self.texts(&model)[23] == "1 connection is ended")
    model.take(.failure(ControlFailure("not \u{1b}[2J permitted")), to: .end(.listed([.id(id)])))
    #expect(Self.texts(&model)[23] == "not \\x1b[2J permitted")
  }

  @Test("the bars show where the keys move, and by what is sorted")
  func barsShowTheState() {
    var model = Self.model()
    func bar(_ row: Int) -> String {
      String(decoding: model.lines(.standard)[row].bytes(columns: 80), as: UTF8.self)
    }
    #expect(bar(1).hasPrefix("\u{1b}[1mSERVICE\u{1b}[0m") && bar(6).hasPrefix("\u{1b}[1mID\u{1b}[0m\u{1b}[7m"))
    #expect(model.take(.character("s")) == .nothing)
    #expect(bar(6).contains("\u{1b}[1mAGE\u{1b}[0m") && bar(6).hasPrefix("\u{1b}[7mID\u{1b}[0m"))
    _ = model.take(.tab)
    #expect(bar(1).hasPrefix("\u{1b}[7mSERVICE\u{1b}[0m") && bar(6).contains("\u{1b}[7mAGE\u{1b}[0m"))
  }

  @Test("d drains a service, and resumes a drained one")
  func drains() {
    var model = Self.model()
    _ = model.take(.tab)
    #expect(model.selectedService == "service-1")
    _ = model.take(.down)
    _ = model.take(.character("d"))
    #expect(model.take(.character("y")) == .send(.drain(.named(["service-2"]), wait: .none)))
    var services = Self.services(3)
    services[1].state = .drained
    model.take(.status(StatusReport(daemon: nil, services: services)), to: .status)
    _ = model.take(.character("d"))
    #expect(model.take(.character("y")) == .send(.resume(.named(["service-2"]))))
    // The service of the connection that is selected.
    _ = model.take(.tab)
    _ = model.take(.down)
    _ = model.take(.character("d"))
    #expect(model.take(.character("y")) == .send(.drain(.named(["service-1"]), wait: .none)))
  }

  @Test(
    "words filter",
    arguments: [
      ("", 100), ("192.0.2.7", 1), ("192.0.2.0/29", 8), (">1m", 40), ("service-2 >1m", 20), ("2.7", 11),
      ("nothing", 0), ("192.0.2.7/24", 0), (">x", 0),
    ])
  func filters(text: String, count: Int) {
    var model = Self.model()
    _ = model.take(.character("/"))
    for character in text { _ = model.take(.character(character)) }
    #expect(Self.texts(&model)[23] == "filter: \(text)_")
    _ = model.take(.enter)
    #expect(model.connections.count == count && model.prompt == .none)
    if count == 0 { #expect(Self.texts(&model)[7] == "no connection passes the filter") }
    if !text.isEmpty { #expect(Self.texts(&model)[23].hasPrefix("filter: \(text)  Escape clears it")) }
    _ = model.take(.escape)
    #expect(model.connections.count == 100 && model.filterText == "")
  }

  @Test("a filter is edited")
  func editsTheFilter() {
    var model = Self.model()
    for key: Key in [.character("/"), .character("q"), .backspace, .backspace, .character("x"), .control("u")] {
      #expect(model.take(key) == .nothing)
    }
    #expect(model.filterText == "" && model.prompt == .filter)
    #expect(model.take(.escape) == .nothing && model.prompt == .none)
    #expect(model.take(.character("q")) == .end)
  }

  @Test("every column sorts, in both orders")
  func sorts() {
    var model = Self.model()
    var seen: [ConnectionOrder] = []
    for _ in ConnectionOrder.allCases {
      seen.append(model.order)
      #expect(model.connections == model.order.sorted(model.report.connections))
      _ = model.take(.character("s"))
    }
    #expect(model.order == .service && Set(seen) == Set(ConnectionOrder.allCases))
    _ = model.take(.character("r"))
    #expect(model.connections == model.order.sorted(model.report.connections, isReversed: true))
  }

  @Test("the screen stays while begatd does not answer")
  func staysWithoutBegatd() {
    var model = Self.model()
    let before = Self.texts(&model)
    model.take(ControlClientError(description: "no begatd answers"), to: .status)
    #expect(Self.texts(&model) == before.dropLast() + ["no begatd answers"])
    _ = model.take(.down)
    #expect(Self.texts(&model).last == "no begatd answers")
    model.take(.connections(ConnectionReport([])), to: .connections(service: nil))
    #expect(Self.texts(&model).last?.hasPrefix("q quit") == true)
  }

  @Test("clients and services show nothing raw")
  func hostileTexts() {
    let hostile = "\u{1b}]0;x\u{7}\u{9b}31m\r\nX"
    var model = Self.model()
    var connection = ConnectionSelectionTests.connection(hostile, hostile, age: 1)
    connection.name = hostile
    var service = ServiceStatus(name: hostile, state: .serving)
    service.addresses = [.init(hostile, isDatagram: false)]
    let daemon = DaemonStatus(version: hostile, process: 1, state: .serving, age: .zero, configuration: hostile)
    model.take(.status(StatusReport(daemon: daemon, services: [service])), to: .status)
    model.take(.connections(ConnectionReport([connection])), to: .connections(service: nil))
    _ = model.take(.down)
    for key: Key? in [nil, .character("k"), .escape, .character("d")] {
      if let key { _ = model.take(key) }
      for line in model.lines(TerminalSize(columns: 200, rows: 24)) {
        #expect(line.text.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "\(line.text)")
      }
    }
    #expect(Self.texts(&model, 400).joined().contains("\\x1b]0;x\\x07"))
  }
}
