import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import NameService

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

  @Test("names users and groups by their numbers") func namesNumbers() {
    #expect(Users.name(of: 0 as uid_t) == "root" && Users.groupName(of: 0) == "root")
    #expect(Users.name(of: 4_294_967_290) == nil && Users.groupName(of: 4_294_967_290) == nil)
  }

  @Test("takes the number that means no change for nobody") func refusesTheGreatestNumber() {
    #expect(Users.number(of: "4294967295") == nil && Users.findGroup("4294967295") == nil)
    #expect(Users.find("4294967295") == nil)
  }

  @Test("finds nobody whose name has a NUL") func refusesANUL() {
    #expect(Users.find("root\0x") == nil && Users.find("0\0") == nil)
    #expect(Users.number(of: "root\0x") == nil && Users.findGroup("root\0x") == nil)
    #expect(Ports.find("http\0x", transport: .tcp) == nil && Ports.find("http\0(80)", transport: .tcp) == nil)
  }

  @Test("finds in many threads what each asks for") func isForThreads() throws {
    let names = ["root", "daemon", "nobody", "no-such-user"]
    let threads = names.map { name in
      Background {
        let first = Users.find(name)
        for _ in 0..<200 where Users.find(name) != first || first.map({ $0.name != name }) ?? false {
          Issue.record("\(name) is another user")
        }
      }
    }
    for thread in threads { thread.join() }
  }
}
