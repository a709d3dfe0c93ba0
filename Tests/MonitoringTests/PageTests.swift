import Foundation
import FoundationXML
import Monitoring
import Testing

/// Reports as a page.
@Suite(.timeLimit(.minutes(30))) struct PageTests {
  private static func page(_ report: StatusReport, _ connections: ConnectionReport? = nil) -> String {
    var bytes: [UInt8] = []
    Page.append(report, connections: connections, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static var connections: ConnectionReport {
    var client = ConnectionStatus(
      id: ConnectionID(service: "time", generation: 1, slot: 3, started: 5_000_000), process: 100, listener: 99,
      age: .seconds(61))
    client.peer = "192.0.2.7:51312"
    client.name = "host.example.org"
    client.received = 1500
    var user = client
    user.peer = "/run/time"
    user.user = 1000
    user.name = nil
    client.via = "10.0.0.2:40000"
    return ConnectionReport([client, user], omitted: 1)
  }

  /// It is HTML that is XML too, so that a reader of XML finds every mistake in it.
  @Test(arguments: [
    StatusReport(daemon: nil, services: []), SampleReport.full,
    StatusReport(
      daemon: SampleReport.daemon, services: ServiceStatus.State.allCases.map { SampleReport.service("a", $0) }),
  ])
  func isWellFormed(report: StatusReport) {
    for connections in [nil, ConnectionReport([]), Self.connections] {
      #expect(PageReader(Self.page(report, connections)).problem == nil)
    }
  }

  @Test func loadsNothing() {
    let reader = PageReader(Self.page(SampleReport.full, Self.connections))
    #expect(
      reader.elements.isDisjoint(with: ["script", "link", "img", "iframe", "object", "form", "use", "image"]))
    #expect(reader.attributes.isDisjoint(with: ["src", "onload", "onclick", "xlink:href"]))
    #expect(!Self.page(SampleReport.full).contains("url("))
  }

  @Test func showsServicesWithTheirNumbers() {
    let reader = PageReader(Self.page(SampleReport.full))
    for text in [
      "begat: 1 of 1 services serve", "begatd 1.2.3, process 10, for 60\u{A0}min.", "/etc/begat/x.toml", "time",
      "127.0.0.1:37", "@abstract datagrams", "serving", "of 256", "1,000", "9 datagrams", "8 datagrams",
      "The last reload was refused 1\u{A0}s ago.", "allow-and-deny", "≤\u{A0}1\u{A0}ms", "4.0\u{A0}kB", "retiring",
      "192.0.2.0/24",
    ] { #expect(reader.texts.contains { $0.contains(text) }, "\(text) is not shown") }
  }

  @Test func showsClientsOnlyWhereTheyAreGiven() {
    #expect(!Self.page(SampleReport.full).contains("Open connections</h2>"))
    let reader = PageReader(Self.page(SampleReport.full, Self.connections))
    for text in [
      "192.0.2.7:51312", "host.example.org", "via 10.0.0.2:40000", "uid 1000", "time/1.3.3uw", "1.5\u{A0}kB",
      "1 further connection is not shown.",
    ] { #expect(reader.texts.contains { $0.contains(text) }, "\(text) is not shown") }
  }

  @Test func showsAtMostSoManyClients() {
    let client = Self.connections.connections[0]
    let report = ConnectionReport(Array(repeating: client, count: Page.maxConnections + 5), omitted: 2)
    let reader = PageReader(Self.page(SampleReport.full, report))
    #expect(reader.texts.count { $0 == "192.0.2.7:51312" } == Page.maxConnections)
    #expect(reader.texts.contains("7 further connections are not shown."))
  }

  /// Nothing that a configuration, a client or a forged answer says becomes a tag, an attribute or a control character.
  @Test func textIsEscaped() {
    let hostile = "<script>alert(\"1\")</script>&amp;'\u{1b}\u{202E}\u{0}"
    let shown = "<script>alert(\"1\")</script>&amp;'\u{FFFD}\u{FFFD}\u{FFFD}"
    var report = SampleReport.full
    report.daemon?.version = hostile
    report.daemon?.configuration = hostile
    report.services[0].name = hostile
    report.services[0].addresses = [.init(hostile, isDatagram: false)]
    report.services[0].refused = [.init(hostile, 1)]
    report.denials = [Denial(network: hostile, service: hostile, remaining: nil)]
    var client = Self.connections.connections[0]
    client.peer = hostile
    client.name = hostile
    client.id = ConnectionID(service: hostile, generation: 1, slot: 1, started: 1)
    let page = Self.page(report, ConnectionReport([client]))
    let reader = PageReader(page)
    #expect(reader.problem == nil)
    #expect(!reader.elements.contains("script"))
    #expect(reader.texts.count { $0.contains(shown) } >= 10)
    #expect(!page.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x202e })
  }

  @Test func isEmptyWithoutServices() {
    let reader = PageReader(Self.page(StatusReport(daemon: nil, services: [])))
    for text in [
      "No begatd answers", "No client has been refused.", "No connection has ended yet.", "No listener runs.",
    ] {
      #expect(reader.texts.contains { $0.contains(text) }, "\(text) is not said")
    }
  }

  @Test func isSmall() {
    var report = SampleReport.full
    report.services = (0..<10).map { number in
      var service = SampleReport.service("service\(number)")
      // The picture that needs most: no two neighbours are the same.
      service.history = (0..<90).map { $0 % 2 == 0 ? 1000 : UInt32($0) }
      service.refusedHistory = (0..<90).map { $0 % 2 == 0 ? UInt32($0) : 500 }
      return service
    }
    #expect(Self.page(report).utf8.count < 50_000)
  }
}

/// The elements and texts of a page, found by a reader of XML.
private final class PageReader: NSObject, XMLParserDelegate {
  private(set) var elements: Set<String> = []
  private(set) var attributes: Set<String> = []
  private(set) var texts: [String] = []
  private(set) var problem: String?
  private var text = ""

  init(_ page: String) {
    super.init()
    let parser = XMLParser(data: Data(page.utf8))
    parser.delegate = self
    if !parser.parse() { problem = "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "unknown")" }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String] = [:]
  ) {
    endText()
    elements.insert(name)
    self.attributes.formUnion(attributes.keys)
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    endText()
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  private func endText() {
    if !text.isEmpty { texts.append(text) }
    text = ""
  }
}
