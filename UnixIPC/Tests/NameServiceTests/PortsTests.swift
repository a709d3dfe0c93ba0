import NameService
import Testing
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct PortsTests {
  @Test(
    "reads numbers, names, and names with a number",
    arguments: [
      ("0", 0), ("80", 80), ("65535", 65535), ("65536", nil), ("+80", nil), ("-1", nil), ("8 0", nil), ("", nil),
      ("begat-none", nil), ("begat-none(13)", 13), ("begat-none(0)", 0), ("begat-none(65536)", nil),
      ("begat-none(-1)", nil), ("begat-none()", nil), ("begat-none(x)", nil), ("begat-none(1)(2)", nil),
      ("begat-none(1", nil), ("begat-none 1)", nil), ("(13)", nil), ("80(81)", nil), ("()", nil), (")", nil),
      ("begat-none(13) ", nil), ("begat\u{0}none(13)", nil), ("\u{0}", nil),
    ] as [(String, UInt16?)])
  func reads(text: String, port: UInt16?) { #expect(Ports.find(text, transport: .tcp) == port) }

  @Test(
    "asks services(5) first, as perl does",
    arguments: ["http", "http(81)", "daytime(13)", "daytime(9)", "time(37)", "domain(1)", "ntp(1)", "begat-none(99)"])
  func asksFirst(text: String) throws {
    for transport in [Transport.tcp, .udp] {
      let script = "print +(IO::Socket::INET::_sock_info(undef, $ARGV[0], $ARGV[1]))[1] // ''"
      let perl = try Counterpart("perl", ["-MIO::Socket::INET", "-e", script, text, transport.rawValue]).rest()
      #expect(Ports.find(text, transport: transport).map(String.init) ?? "" == perl, "\(text)/\(transport)")
    }
  }

  @Test("knows a service by its transport and by its other names")
  func knowsServices() throws {
    let port = try #require(Ports.find("http", transport: .tcp), "services(5) knows nothing")
    #expect(port == 80 && Ports.find("www(8080)", transport: .tcp) == 80)
    #expect(Ports.find("ntp(9)", transport: .udp) == 123)
  }
}
