import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct LoginsTests {
  @Test("are at most 1,000, each of a user")
  func areUsers() {
    let logins = Logins.current()
    #expect(logins.count <= 1000)
    for login in logins { #expect(!login.user.isEmpty) }
  }
}
