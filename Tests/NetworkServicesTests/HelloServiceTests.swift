import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct HelloServiceTests {
  /// A collection of the one fortune `One.`
  private func service() throws -> HelloService {
    let directory = try TemporaryDirectory()
    try directory.write("One.\n".utf8, to: "f")
    return HelloService(fortunes: try FortuneLoader(databases: [directory["f"]]).load { _ in })
  }

  private func greeting(_ peer: SocketAddress?, names: (any PeerNames)? = nil) throws -> String {
    let before = CalendarTime.now()
    let client = try ServedClient(service(), peer: peer, names: names)
    var text = try client.receiveText()
    // What is the time's is checked here and left out.
    let times = (before...CalendarTime.now()).map { seconds in
      withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
        String(decoding: DaytimeService.line(seconds, in: room), as: UTF8.self)
      }
    }
    let time = try #require(times.first { text.contains($0) })
    text.replace(time, with: "TIME", maxReplacements: 1)
    return text
  }

  @Test(
    "greets with the address, where there is one",
    arguments: [
      (.ipv4(IPv4Address(rawValue: 0xc000_0207), port: 5), "192.0.2.7, "), (.ipv6(.loopback, port: 5), "::1, "),
      (.ipv6(IPv6Address(high: 0, low: 0xffff_c000_0207), port: 5), "192.0.2.7, "),
      (.ipv6(IPv6Address(high: 0xfe80 << 48, low: 1), port: 5, scope: 2), "fe80::1, "), (.unixUnnamed, ""),
      (.unixPath("/x"), ""), (.unixAbstract([1]), ""), (nil, ""),
    ] as [(SocketAddress?, String)])
  func greets(peer: SocketAddress?, name: String) throws {
    #expect(try greeting(peer) == "Hello there, \(name)it's now TIMEOne.\r\n")
  }

  @Test("greets with the name, where somebody knows it")
  func greetsByName() throws {
    let peer = SocketAddress.ipv4(.loopback, port: 1)
    #expect(try greeting(peer, names: Names("host.example")) == "Hello there, host.example, it's now TIMEOne.\r\n")
    #expect(try greeting(peer, names: Names(nil)) == "Hello there, 127.0.0.1, it's now TIMEOne.\r\n")
    #expect(try greeting(.unixUnnamed, names: Names("host.example")) == "Hello there, it's now TIMEOne.\r\n")
  }

  @Test("has room for the longest name")
  func hasRoom() throws {
    let name = String(repeating: "n", count: 255)
    let text = try greeting(.ipv4(.loopback, port: 1), names: Names(name))
    #expect(text == "Hello there, \(name), it's now TIMEOne.\r\n")
  }
}

private final class Names: PeerNames {
  private let name: String?
  init(_ name: String?) { self.name = name }

  func write(nameOf address: SocketAddress, to text: inout ByteWriter) -> Bool {
    if let name { text.append(name) }
    return name != nil
  }
}
