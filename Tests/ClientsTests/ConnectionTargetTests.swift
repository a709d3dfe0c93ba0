import Testing
import UnixIPC

@testable import Clients

@Suite struct ConnectionTargetTests {
  private func problem(_ place: String, _ port: String?) -> String? {
    do throws(ConnectionTarget.Problem) {
      _ = try ConnectionTarget(place, port: port)
      return nil
    } catch { return error.description }
  }

  @Test(
    "is read and shown",
    arguments: [
      ("localhost", "80", .host("localhost", port: 80), "localhost:80"),
      ("127.0.0.1", "65535", .host("127.0.0.1", port: 65535), "127.0.0.1:65535"),
      ("[::1]", "7", .host("::1", port: 7), "[::1]:7"), ("::1", "7", .host("::1", port: 7), "[::1]:7"),
      ("/run/s", nil, .unix(.unixPath("/run/s")), "/run/s"), ("@s", nil, .unix(.unixAbstract([115])), "@s"),
      ("h", "nosuchservice(13)", .host("h", port: 13), "h:13"), ("a\n", "1", .host("a\n", port: 1), "a\\x0a:1"),
    ] as [(String, String?, ConnectionTarget, String)])
  func isRead(place: String, port: String?, target: ConnectionTarget, text: String) throws {
    #expect(try ConnectionTarget(place, port: port) == target)
    #expect("\(target)" == text)
  }

  @Test(
    "says what is wrong",
    arguments: [
      ("localhost", nil, "localhost: a host needs a port, a Unix socket is /PATH or @NAME"),
      ("/run/s", "80", "/run/s: a Unix socket has no port"), ("@s", "80", "@s: a Unix socket has no port"),
      ("", "80", "the host is empty"), ("[]", "80", "the host is empty"),
      ("h", "0", "0: no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "65536", "65536: no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "no-such-service", "no-such-service: no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "x(0)", "x(0): no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "x(y)", "x(y): no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "", ": no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "\u{1b}", "\\x1b: no such port (a number, a name, or NAME(NUMBER))"),
    ] as [(String, String?, String)])
  func saysWhatIsWrong(place: String, port: String?, text: String) { #expect(problem(place, port) == text) }

  @Test("has the addresses that its numbers say")
  func hasAddresses() throws {
    #expect(try ConnectionTarget("127.0.0.1", port: "80").addresses() == [.ipv4(.loopback, port: 80)])
    #expect(try ConnectionTarget("::1", port: "80").addresses() == [.ipv6(.loopback, port: 80)])
    #expect(try ConnectionTarget("/s", port: nil).addresses() == [.unixPath("/s")])
  }
}
