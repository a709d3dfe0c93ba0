import Admission
import Control
import Testing

@testable import Supervision

/// Denials that would last although they cannot be meant.
@Suite(.timeLimit(.minutes(30))) struct DenialCheckTests {
  @Test(arguments: ["0.0.0.0/0", "::/0", "127.0.0.1", "127.0.0.0/8", "::1", "::/64", "::ffff:127.0.0.1", "0.0.0.0/1"])
  func areRefused(text: String) throws {
    let failure = try #require(DenialCheck.refusal(of: try IPNetwork(parsing: text), service: nil))
    #expect(failure.exitStatus == ControlFailure.usage)
    #expect(failure.message.contains("--for 10m"))
  }

  @Test(arguments: ["192.0.2.7", "192.0.2.0/24", "128.0.0.0/1", "127.0.0.9", "2001:db8::/32", "8000::/1"])
  func othersAreNot(text: String) throws {
    #expect(DenialCheck.refusal(of: try IPNetwork(parsing: text), service: nil) == nil)
  }

  @Test func theAdviceNamesTheService() throws {
    let everyone = try IPNetwork(parsing: "0.0.0.0/0")
    let one = DenialCheck.refusal(of: everyone, service: "echo")?.message
    #expect(one?.contains("begat drain echo closes the service;") == true)
    let all = DenialCheck.refusal(of: everyone, service: nil)?.message
    #expect(all?.contains("begat drain --all closes the services;") == true)
  }
}
