import Testing

@testable import StatusService

/// By which names the service may be asked: DNS rebinding brings names of others.
@Suite struct HostCheckTests {
  private let check = HostCheck(names: ["Status.Example.org"])

  @Test(
    arguments: [
      "127.0.0.1", "127.0.0.1:9345", "192.0.2.7:80", "[::1]", "[::1]:9345", "[2001:db8::1]:1", "[fe80::1%25eth0]:9345",
      "localhost", "LOCALHOST:9345", "localhost.", "status.example.org", "STATUS.example.ORG:443",
      "status.example.org.:1",
      "127.0.0.1:", nil,
    ])
  func isAllowed(authority: String?) { #expect(check.allows(authority)) }

  @Test(
    arguments: [
      "", ":9345", "evil.example", "evil.example:9345", "localhost.evil.example", "a.localhost", "127.0.0.1.nip.io",
      "status.example.org.evil", "xstatus.example.org", "127.1", "2130706433", "0x7f.1", "::1", "[::1",
      "[evil.example]",
      "[127.0.0.1]", "[]", "127.0.0.1:x", "localhost:80:80", "user@localhost", "localhost@evil.example",
      "127.0.0.1@evil.example", "localhost/", "localhost..", "[::1]evil.example",
    ])
  func isRefused(authority: String) { #expect(!check.allows(authority)) }
}
