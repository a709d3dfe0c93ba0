import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable @_spi(Begat) import NameService

@Suite struct AccountTests {
  @Test("reads names and numbers, alone and with a group") func reads() throws {
    let root = try #require(Users.find("root"))
    for text in ["root", "0"] { #expect(try Account(text).user == root && Account(text).group == nil) }
    #expect(try Account("root:0").group == 0)
    #expect(try Account("0:root").group == Users.findGroup("root"))
    #expect(try Account.group("4711") == 4711)
  }

  @Test("has a user for every number, with a group of the same number and the home /") func needsNoEntry() throws {
    let user = try Account("54321:815").user
    #expect(user == User(unlisted: 54_321))
    #expect(user.identity == Identity(user: 54_321, group: 54_321) && user.name == "54321")
    #expect(user.homeDirectory == "/" && user.shell == "/bin/sh")
    #expect(user.identity.with(group: 815) == Identity(user: 54_321, group: 815, groups: [815]))
  }

  @Test("a new primary group takes the place of the user's own") func replacesTheGroup() {
    let identity = Identity(user: 1, group: 2, groups: [2, 3, 4])
    #expect(identity.with(group: 3) == Identity(user: 1, group: 3, groups: [3, 4]))
    #expect(identity.with(group: nil) == identity)
  }

  @Test(
    "refuses everything else",
    arguments: [
      ("", "expected USER or USER:GROUP, found \"\""), (":1", "expected USER or USER:GROUP, found \":1\""),
      ("1:", "expected USER or USER:GROUP, found \"1:\""), ("1:2:3", "expected USER or USER:GROUP, found \"1:2:3\""),
      ("-1", "no user \"-1\" on this machine"), ("+1", "no user \"+1\" on this machine"),
      ("0x1", "no user \"0x1\" on this machine"), ("1 ", "no user \"1 \" on this machine"),
      ("4294967295", "no user \"4294967295\" on this machine"),
      ("4294967296", "no user \"4294967296\" on this machine"),
      ("99999999999999999999", "no user \"99999999999999999999\" on this machine"),
      ("no\nuser", "no user \"no\\x0auser\" on this machine"), ("1:-1", "no group \"-1\" on this machine"),
      ("1:4294967295", "no group \"4294967295\" on this machine"), ("1:none", "no group \"none\" on this machine"),
    ])
  func refuses(text: String, reason: String) {
    #expect(throws: Account.LookupError.self) { try Account(text) }
    do throws(Account.LookupError) { _ = try Account(text) } catch { #expect(error.description == reason) }
  }
}
