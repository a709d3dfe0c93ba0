import Glibc
@_spi(Begat) import NameService
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration
@testable import Settings

@Suite("Users of services' own") struct OwnIdentitiesTests {
  private func service(_ name: String, _ more: String = "", serving builtIn: String = "echo") -> String {
    "[service.\(name)]\nserve = \"\(builtIn)\"\nlisten-stream = \"fd:\(name)\"\n\(more)"
  }

  private func read(
    _ text: String, on survey: IdentitySurvey = .empty, user: uid_t = 0
  ) throws(ConfigurationProblems) -> Configuration {
    let surroundings = Surroundings(
      identity: Identity(user: user, group: user), systemFile: "/nonexistent/begatd.toml",
      runtimeDirectory: "/run/begat",
      identities: user == 0 ? .inMemory(on: survey) : nil)
    return try Configuration.read(
      [ConfigurationFiles.Text(file: "t.toml", bytes: Array(text.utf8))], source: "t.toml", in: surroundings)
  }

  @Test("are for services that set none, also disabled ones") func which() throws {
    let text =
      service("a") + service("b", "user = \"daemon\"\n") + service("c", "enabled = false\n")
      + service("d", "group = \"daemon\"\n")
    let services = try read(text).services
    #expect(services.map(\.ownUser) == ["begat-a", nil, "begat-c", "begat-d"])
    let numbers = services.map { $0.identity?.user ?? 0 }
    #expect(Set(numbers).count == 4 && numbers[1] == Users.find("daemon")?.identity.user)
    #expect(services[0].identity == Identity(user: numbers[0], group: numbers[0], groups: [numbers[0]]))
    let daemon = try #require(Users.findGroup("daemon"))
    #expect(services[3].identity == Identity(user: numbers[3], group: daemon, groups: [daemon]))
    let table = try read(text).effectiveSettings()
    #expect(table.contains("begat-d (\(numbers[3])):\(daemon)"), "\(table)")
    // Another one does not count for a reload.
    #expect(try read(service("e") + text).services.suffix(4).map(\.identity) == services.map(\.identity))
  }

  @Test("are for no service where [defaults] sets one, or begatd may not change its user") func none() throws {
    #expect(try read(service("a") + "[defaults]\nuser = \"daemon\"\n").services[0].ownUser == nil)
    let own = try read(service("a"), user: 7)
    #expect(own.services[0].ownUser == nil && own.services[0].identity == nil && own.resolver == .daemon)
  }

  @Test("are as many as there are; the other services share nobody, with one warning") func exhausted() throws {
    let services = service("a") + service("b") + service("c", serving: "hello") + service("d", "enabled = false\n")
    let range = "[daemon]\nidentity-range = \"70000-70000\"\n"
    let full = try read(range + services)
    #expect(full.services.map(\.identity?.user) == [70_000] + [UInt32](repeating: Users.nobody.user, count: 3))
    #expect(
      full.warnings.map(\.description) == [
        "t.toml:6:10: service.b: no user of its own for b, c, the resolver of names; they share the user nobody and "
          + "can signal and trace each other: no number of identity-range 70000-70000 is left; widen it, or set user "
          + "in these services"
      ])
    #expect(full.resolver == .identity(Users.nobody))
    let small = try read(services, on: IdentitySurvey(mapped: [0...65_535]))
    #expect(small.warnings.count == 1 && small.warnings[0].message.contains("/proc/self/uid_map"), "\(small.warnings)")
    let whole = IdentitySurvey(mapped: IdentityMap.ranges(in: "0 0 70001\n70001 70001 30000\n"))
    let wide = try read("[daemon]\nidentity-range = \"70000-70001\"\n" + services, on: whole)
    #expect(wide.warnings.map { $0.message.contains("is left; widen it") } == [true], "\(wide.warnings)")
    // A usual container's map has one number of the usual range.
    let container = try read(services, on: IdentitySurvey(mapped: IdentityMap.ranges(in: "0 0 65537\n")))
    #expect(container.services.map(\.identity?.user) == [65_536] + [UInt32](repeating: Users.nobody.user, count: 3))
    #expect(container.warnings.count == 1)
    #expect(
      container.warnings[0].message.hasSuffix(
        ": no number is left of those of identity-range 65536-99999 that exist in this user namespace; set identity-range to "
          + "numbers that /proc/self/uid_map and gid_map have, or set user in these services"), "\(container.warnings)")
    #expect(throws: ConfigurationProblems.self) {
      try read(services, on: IdentitySurvey(mapped: [0...65_533]))
    }
    let set = try read(range + service("a") + service("b", "user = \"daemon\"\n"))
    #expect(set.warnings == [])
  }

  @Test("are the resolver's too, which is never root") func resolver() throws {
    let hello = service("a", "user = \"daemon\"\n", serving: "hello")
    guard case .identity(let identity) = try read(hello).resolver else {
      Issue.record("no user")
      return
    }
    #expect(identity.user == IdentityTable.start(of: "names", in: IdentityRange.usual.numbers))
    let alone = try read(hello, on: IdentitySurvey(mapped: [0...0]))
    #expect(alone.resolver == .none && alone.warnings.count == 1)
    #expect(alone.warnings.first?.message.hasPrefix("names of hosts are not looked up") == true)
    #expect(try read(service("a", "user = \"daemon\"\n"), on: IdentitySurvey(mapped: [0...0])).warnings == [])
  }

  @Test("leave the resolver its name, and are of a range that can be used") func problems() {
    #expect(
      Configuration.problems(service("names")) == [
        "t.toml:1:10: service.names: this is the name of begatd's own resolver of names; choose another one"
      ])
    #expect(
      Configuration.problems(service("a") + "[daemon]\nidentity-range = \"0-9\"\n") == [
        "t.toml:5:18: daemon.identity-range: expected two numbers such as \"65536-99999\", without 0, 65534, 65535 and "
          + "4294967295 between them, found \"0-9\""
      ])
  }
}
