import Glibc
import Testing

@testable import NameService

@Suite struct UsersTests {
  @Test(
    "reads full names as finger does",
    arguments: [
      ("John Smith,,555-1234,", "john", "John Smith"), ("", "john", ""), (",room", "john", ""),
      ("& Smith", "john", "John Smith"), ("&", "élan", "Élan"), ("O'Neil, Jr.", "x", "O'Neil"),
    ])
  func readsFullNames(gecos: String, user: String, full: String) {
    #expect(Users.fullName(inGECOS: gecos, of: user) == full)
  }

  @Test("finds root by name, by number and as text") func findsRoot() throws {
    let root = try #require(Users.find("root"))
    #expect(root.identity.user == 0 && root.homeDirectory.hasPrefix("/") && root.shell.hasPrefix("/"))
    #expect(Users.find(0) == root && Users.find("0") == root)
    #expect(Users.find("no-such-user") == nil)
  }
}
