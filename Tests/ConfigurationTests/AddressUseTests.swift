import Glibc
import Testing

@testable import Configuration

@Suite struct AddressUseTests {
  private func problems(_ first: String, _ second: String, _ more: String = "") -> [String] {
    Configuration.problems(
      "[service.a]\nserve = \"time\"\n\(first)\n\n[service.b]\nserve = \"time\"\n\(second)\n\(more)\n")
  }

  @Test(
    "finds two sockets for one port",
    arguments: [
      ("\"2345\"", "\"127.0.0.1:2345\"", ["127.0.0.1:2345 is part of 0.0.0.0:2345, which is"]),
      ("\"127.0.0.1:2345\"", "\"2345\"", ["0.0.0.0:2345 includes 127.0.0.1:2345, which is"]),
      ("\"[::1]:2345\"", "\"2345\"", ["[::]:2345 includes [::1]:2345, which is"]),
      ("\"[::]:2345\"", "\"[2001:db8::1]:2345\"", ["[2001:db8::1]:2345 is part of [::]:2345, which is"]),
      ("\"2345\"", "\"2345\"", ["0.0.0.0:2345 is also", "[::]:2345 is also"]),
      ("\"[::1]:2345\"", "\"127.0.0.1:2345\"", []), ("\"[::]:2345\"", "\"127.0.0.1:2345\"", []),
      ("\"0.0.0.0:2345\"", "\"127.0.0.1:2346\"", []), ("\"0.0.0.0:0\"", "\"127.0.0.1:0\"", []),
    ] as [(String, String, [String])])
  func findsTwoSockets(first: String, second: String, messages: [String]) {
    #expect(
      problems("listen-stream = \(first)", "listen-stream = \(second)")
        == messages.map { "t.toml:7:17: service.b.listen-stream: \($0) at t.toml:3:17" })
    #expect(problems("listen-stream = \(first)", "listen-datagram = \(second)") == [])
  }

  @Test("finds them in one service, and names lines of elements")
  func findsThemInOneService() {
    #expect(
      Configuration.problems(
        "[service.a]\nserve = \"time\"\nlisten-datagram = [\n\"127.0.0.1:9\",\n\"2345\",\n\"127.0.0.1:2345\"]") == [
          "t.toml:6:1: service.a.listen-datagram: 127.0.0.1:2345 is part of 0.0.0.0:2345, which is at t.toml:5:1"
        ])
  }

  @Test("lets different interfaces have the same port")
  func letsInterfacesShare() {
    let here = "listen-stream = \"0.0.0.0:7\"\nbind-to-device = \"eth0\""
    let there = "listen-stream = \"0.0.0.0:7\"\nbind-to-device = \"eth1\""
    #expect(problems(here, there) == [])
    #expect(problems(here, here).count == 1)
    #expect(problems(here, "listen-stream = \"0.0.0.0:7\"").count == 1)
    #expect(problems("listen-stream = \"127.0.0.1:7\"", there).count == 1)
  }

  @Test("wants the interface of a link-local address")
  func wantsTheInterface() {
    let text = "listen-stream = [\"127.0.0.1:1\",\n\"[fe80::1]:7\"]"
    let message = "a link-local address needs its interface, as in [fe80::1%eth0]:7; found [fe80::1]:7"
    #expect(
      problems(text, "listen-stream = \"1.2.3.4:5\"") == ["t.toml:4:1: service.a.listen-stream: \(message)"])
    #expect(problems("\(text)\nbind-to-device = \"lo\"", "listen-stream = \"1.2.3.4:5\"") == [])
    #expect(problems("listen-stream = \"[fe80::1%lo]:7\"", "listen-stream = \"[fec0::1]:7\"") == [])
  }

  @Test("knows a Unix socket by its file, however its path is written")
  func knowsAFile() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("real")
    try #require(symlink("real", directory["link"]) == 0)
    let path = directory["real/s"]
    for other in [
      directory["link/s"], directory["real//s"], directory["real/./s"], directory["link/../real/s"], path,
    ] {
      let conflict = "t.toml:7:17: service.b.listen-stream: \(path) is also at t.toml:3:17"
      #expect(problems("listen-stream = \"\(path)\"", "listen-stream = \"\(other)\"") == [conflict], "\(other)")
      #expect(
        problems("listen-stream = \"\(path)\"", "listen-datagram = \"\(other)\"") == [
          "t.toml:7:19: service.b.listen-datagram: \(path) is also at t.toml:3:17"
        ])
    }
    #expect(problems("listen-stream = \"\(path)\"", "listen-stream = \"\(directory["s"])\"") == [])
    #expect(problems("listen-stream = \"/run/begat/x\"", "listen-stream = \"%t/x\"").count == 1)
    #expect(problems("listen-stream = \"/nonexistent/x\"", "listen-stream = \"/nonexistent/x\"").count == 1)
    // An abstract name is no path.
    #expect(problems("listen-stream = \"@/x\"", "listen-stream = \"@//x\"") == [])
  }
}
