import Confinement
import Glibc
@_spi(Begat) import NameService
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

/// begatd's capabilities, not its user, decide which settings are allowed.
@Suite struct CapabilityRuleTests {
  private static let service = "[service.a]\nserve = \"echo\"\nlisten-stream = \"/run/x\"\n"

  private func read(
    _ lines: String, user: uid_t = 0, groups: [gid_t] = [], capabilities: Capabilities, isCut: Bool = false
  ) throws(ConfigurationProblems) -> Configuration {
    var surroundings = Surroundings(
      identity: Identity(user: user, group: user, groups: groups), systemFile: "/nonexistent/begatd.toml",
      runtimeDirectory: "/run/begat", capabilities: capabilities)
    surroundings.hasCutBoundingSet = isCut
    let text = ConfigurationFiles.Text(file: "t.toml", bytes: Array((Self.service + lines).utf8))
    return try Configuration.read([text], source: "t.toml", in: surroundings)
  }

  private func problems(
    _ lines: String, user: uid_t = 0, groups: [gid_t] = [], capabilities: Capabilities, isCut: Bool = false
  ) -> [String] {
    do throws(ConfigurationProblems) {
      _ = try read(lines, user: user, groups: groups, capabilities: capabilities, isCut: isCut)
      return []
    } catch { return error.problems.map(\.description) }
  }

  @Test(
    "every user with the capabilities chooses users, and serves as nobody by default", arguments: [0, 1000] as [uid_t])
  func choosesUsers(user: uid_t) throws {
    let daemon = try #require(Users.find("daemon")?.identity)
    let chosen = try read("user = \"daemon\"", user: user, capabilities: .becomeOthers)
    #expect(chosen.services[0].identity == daemon)
    #expect(try read("", user: user, capabilities: .becomeOthers).services[0].identity == Users.nobody)
  }

  @Test("root without one of the capabilities serves as root only if that is written")
  func isNotRootByAccident() throws {
    #expect(
      problems("", capabilities: .setUser) == [
        "t.toml:1:10: service.a: would serve as root, because begatd lacks CAP_SETGID: start begatd with CAP_SETUID "
          + "and CAP_SETGID or as another user, or set user = \"root\""
      ])
    #expect(
      problems(
        "enabled = false\n[service.b]\nuser = \"root\"\nserve = \"time\"\nlisten-stream = \"9\"", capabilities: [])
        == [])
    #expect(
      problems("user = \"daemon\"", capabilities: .setGroup) == [
        "t.toml:4:8: service.a.user: serving as daemon needs CAP_SETUID, which this begatd (user 0) lacks; grant it or "
          + "remove the key"
      ])
    #expect(try read("user = \"root\"", capabilities: []).services[0].identity == Identity(user: 0, group: 0))
    // Another user is itself without being told.
    #expect(try read("", user: 1000, capabilities: []).services[0].identity == nil)
  }

  @Test("sockets are given away with CAP_CHOWN, or to a group of begatd's own")
  func givesSocketsAway() throws {
    let lines = "socket-user = \"daemon\"\nsocket-group = \"4711\""
    #expect(problems(lines, user: 1000, capabilities: .changeOwner) == [])
    #expect(
      problems(lines, user: 0, capabilities: .becomeOthers) == [
        "t.toml:4:15: service.a.socket-user: a socket for daemon needs CAP_CHOWN, which this begatd (user 0) lacks; "
          + "grant it or remove the key",
        "t.toml:5:16: service.a.socket-group: a socket for group 4711, which begatd is not in, needs CAP_CHOWN, "
          + "which this begatd (user 0) lacks; grant it or remove the key",
      ])
    #expect(problems("socket-group = \"4711\"", user: 1000, groups: [4711], capabilities: []) == [])
  }

  @Test("a negative nice value needs a limit, not root")
  func raisesPriority() {
    let program = "enabled = false\n[service.b]\nexec = [\"/bin/cat\"]\nlisten-stream = \"9\"\nnice = -5"
    #expect(problems(program, user: 1000, capabilities: .raiseLimits) == [])
    #expect(
      problems(program, capabilities: .becomeOthers) == [
        "t.toml:8:1: service.b.nice: a value below 0 needs CAP_SYS_RESOURCE or a limit RLIMIT_NICE (LimitNICE=), "
          + "found -5"
      ])
  }

  @Test("what set-user-ID programs gain cannot be had again")
  func needsARestart() {
    let program =
      "enabled = false\n[service.b]\nexec = [\"/bin/cat\"]\nlisten-stream = \"9\"\nallow-set-user-id = true"
    #expect(problems(program, capabilities: .all) == [])
    #expect(
      problems(program, capabilities: .all, isCut: true) == [
        "t.toml:8:1: service.b.allow-set-user-id: needs a restart of begatd, which gave up all other capabilities at its "
          + "start because no service had the key"
      ])
  }

  @Test("warns about programs of root's, which have no capabilities")
  func warnsAboutRoot() throws {
    let program = "enabled = false\n[service.b]\nuser = \"root\"\nexec = [\"/bin/cat\"]\nlisten-stream = \"9\"\n"
    let warnings = try read(program, capabilities: .all).warnings.map(\.description)
    #expect(
      warnings == [
        "t.toml:6:1: service.b.user: programs of b run as root, but run without capabilities: file permissions apply "
          + "to them; set allow-set-user-id = true to keep root's capabilities"
      ])
    let allowed = try read(program + "allow-set-user-id = true\n", capabilities: .all).warnings.map(\.description)
    #expect(!allowed.contains { $0.contains("capabilities") })
  }

  // MARK: Numbers

  @Test(
    "users need no entry, and have a group behind a colon",
    arguments: [
      ("user = \"54321\"", Identity(user: 54_321, group: 54_321)),
      ("user = \"54321:815\"", Identity(user: 54_321, group: 815, groups: [815])),
      ("user = \"54321\"\ngroup = \"815\"", Identity(user: 54_321, group: 815, groups: [815])),
      ("user = \"54321:815\"\ngroup = \"815\"", Identity(user: 54_321, group: 815, groups: [815])),
    ])
  func numbers(lines: String, identity: Identity) throws {
    #expect(try read(lines, capabilities: .all).services[0].identity == identity)
  }

  @Test("an owner of sockets may be written in the same way")
  func socketOwner() throws {
    let access = try read("socket-user = \"54321:815\"", capabilities: .all).services[0].socketAccess
    #expect(access.user == 54_321 && access.group == 815)
  }

  @Test("the service's own key takes the place of one in defaults")
  func ownKeyWins() throws {
    let group = try read("user = \"1:54321\"\n[defaults]\ngroup = \"815\"", capabilities: .all)
    #expect(group.services[0].identity?.group == 54_321)
    let user = try read("group = \"815\"\n[defaults]\nuser = \"1:54321\"", capabilities: .all)
    #expect(user.services[0].identity?.group == 815)
  }

  @Test(
    "wrong users are refused",
    arguments: [
      (
        "user = \"1:2\"\ngroup = \"3\"",
        "t.toml:5:9: service.a.group: contradicts user = \"1:2\", found \"3\"; leave one group out"
      ),
      ("user = \"4294967295\"", "t.toml:4:8: service.a.user: no user \"4294967295\" on this machine"),
      ("user = \"-1\"", "t.toml:4:8: service.a.user: no user \"-1\" on this machine"),
      ("user = \"0x10\"", "t.toml:4:8: service.a.user: no user \"0x10\" on this machine"),
      ("user = \"1:no-such-group\"", "t.toml:4:8: service.a.user: no group \"no-such-group\" on this machine"),
      ("group = \"4294967296\"", "t.toml:4:9: service.a.group: no group \"4294967296\" on this machine"),
    ])
  func wrongUsers(lines: String, problem: String) {
    #expect(problems(lines, capabilities: .all) == [problem])
  }
}
