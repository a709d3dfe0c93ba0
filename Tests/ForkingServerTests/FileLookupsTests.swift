import Testing

@testable import ForkingServer

@Suite(.timeLimit(.minutes(30))) struct FileLookupsTests {
  @Test("finds users by name and number")
  func findsUsers() {
    let lookups = FileLookups()
    #expect(lookups.userNumber("root") == 0 && lookups.userNumber("0") == 0)
    #expect(lookups.userNumber("daemon") == lookups.user("daemon")?.user)
    #expect(lookups.userNumber("4294967294") == .max - 1 && lookups.userNumber("4294967295") == nil)
    #expect(lookups.userNumber("no-such-user") == nil && lookups.userNumber("") == nil)
    #expect(lookups.userNumber("-1") == nil)
  }

  @Test("looks into the file once, whatever the number of users")
  func looksOnce() {
    let lookups = FileLookups()
    let duration = ContinuousClock().measure {
      #expect((0..<40_000).allSatisfy { lookups.userNumber(String($0)) == UInt32($0) })
    }
    #expect(duration < .seconds(10), "\(duration)")
  }
}
