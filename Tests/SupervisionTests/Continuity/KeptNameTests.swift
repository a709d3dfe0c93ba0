import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

@Suite struct KeptNameTests {
  @Test(
    "names descriptors by what they are",
    arguments: [
      (KeptName.stream(.ipv4(.loopback, port: 80)), "begat-stream 127.0.0.1;80"),
      (.stream(.ipv4(.any, port: 80), device: "eth0"), "begat-stream 0.0.0.0;80 eth0"),
      (.datagram(.ipv4(.any, port: 80), device: "a:1 b"), "begat-datagram 0.0.0.0;80 a;1%20b"),
      (.datagram(.ipv6(.loopback, port: 7)), "begat-datagram [;;1];7"),
      (.stream(.unixPath("/run/a b/c;d:e%")), "begat-stream /run/a%20b/c%3bd;e%25"),
      (.stream(.unixAbstract([0x62, 0, 0xff])), "begat-stream @b\\x00\\xff"),
      (.state(17), "begat-state 17"), (.bans(2), "begat-bans 2"), (.book(service: "a-b"), "begat-book a-b"),
      (.board(service: "echo", generation: 3), "begat-board echo 3"),
      (.channel(service: "echo", generation: 3), "begat-channel echo 3"),
      (.firstChannel(service: "echo", generation: 3), "begat-first-channel echo 3"),
    ])
  func names(name: KeptName, text: String) {
    #expect(name.text == text)
    #expect(KeptName.isKept(text))
  }

  /// As `fdname_is_valid` of systemd has it.
  @Test("has only bytes that the service manager takes, and no more of them than it takes")
  func isValid() {
    let bytes = (1...255).map { UInt8($0) }
    let paths = [
      UnixPath(bytes: Array("/".utf8) + bytes.prefix(106)), UnixPath(bytes: Array("/".utf8) + bytes.suffix(106)),
      UnixPath(bytes: Array("/".utf8) + bytes.dropFirst(100).prefix(106)),
      UnixPath(bytes: Array("/".utf8) + Array(repeating: 0xff, count: 105) + [1]),
      UnixPath(bytes: Array("/".utf8) + Array(repeating: 0xff, count: 105) + [2]),
    ]
    let names = paths.map { KeptName.datagram(.unixPath($0)).text }
    for name in names {
      #expect(name.utf8.count <= 255)
      #expect(name.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }, "\(name)")
    }
    #expect(Set(names).count == names.count)
  }

  @Test("takes no name of a socket unit for one of its own")
  func knowsItsOwn() {
    for name in ["begat-hello.socket", "begatd.socket", "hello", "begat-", "unknown", "begat -x", ""] {
      #expect(!KeptName.isKept(name), "\(name)")
    }
    #expect(KeptName.stateNumber("begat-state 12") == 12)
    for name in ["begat-state", "begat-state ", "begat-state x", "begat-state 1 2", "begat-book 1", "begat-state -1"] {
      #expect(KeptName.stateNumber(name) == nil, "\(name)")
    }
    #expect(KeptName.isDatagramSocket("begat-datagram x") == true)
    #expect(KeptName.isDatagramSocket("begat-stream x") == false)
    #expect(KeptName.isDatagramSocket("begat-state 1") == nil)
  }
}
