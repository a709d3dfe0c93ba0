import Glibc
@_spi(Begat) import NameService
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

/// The keys about the control sockets.
@Suite struct ControlKeyTests {
  private static let echo = "\n[service.x]\nserve = \"echo\"\nlisten-stream = \"7\"\n"

  @Test(
    "name two sockets",
    arguments: [
      ("", "/run/begat/control", "/run/begat/status", true),
      ("control-socket = \"%t/control\"", "/run/begat/control", "/run/begat/status", false),
      ("control-socket = \"%t/other\"", "/run/begat/other", "/run/begat/other.status", false),
      ("control-socket = \"/srv/control\"", "/srv/control", "/srv/status", false),
    ])
  func nameTwoSockets(line: String, control: String, status: String, isDefault: Bool) throws {
    let configuration = try Configuration.sample("[daemon]\n" + line + Self.echo)
    #expect(configuration.control?.ordersPath == control && configuration.control?.questionsPath == status)
    #expect(configuration.control?.isDefault == isDefault && configuration.control?.group == nil)
    #expect(configuration.checkText().contains("\ncontrol-socket \(control)\n"))
  }

  @Test("can do without them")
  func canDoWithoutThem() throws {
    let configuration = try Configuration.sample("[daemon]\ncontrol-socket = \"none\"" + Self.echo)
    #expect(configuration.control == nil && configuration.checkText().contains("\ncontrol-socket none\n"))
  }

  @Test("name a group")
  func nameAGroup() throws {
    let configuration = try Configuration.sample("[daemon]\ncontrol-group = \"root\"" + Self.echo)
    #expect(configuration.control?.group == 0)
    #expect(configuration.checkText().contains("\ncontrol-socket /run/begat/control, control-group root\n"))
  }

  private static let expectation =
    "2:18: daemon.control-socket: expected an absolute path, one that begins with %t/, or \"none\", found "

  @Test(
    "say what is wrong",
    arguments: [
      ("control-socket = \"control\"", expectation + "\"control\""), ("control-socket = \"/\"", expectation + "\"/\""),
      ("control-socket = \"%t/status\"", expectation + "\"%t/status\""),
      ("control-socket = \"/a/\"", expectation + "\"/a/\""),
      ("control-socket = 7", expectation + "7"), ("control-socket = \"\"", expectation + "\"\""),
      (
        "control-socket = \"/" + String(repeating: "a", count: 101) + "\"",
        "2:18: daemon.control-socket: the path /" + String(repeating: "a", count: 101)
          + ", or that of the socket for questions beside it, has 109 bytes; a Unix socket's has at most 107"
      ),
      ("control-group = \"no such\"", "2:17: daemon.control-group: no group \"no such\" on this machine"),
      (
        "control-group = \"root\"\ncontrol-socket = \"none\"",
        "2:17: daemon.control-group: has no effect without a control socket; remove it"
      ),
    ])
  func sayWhatIsWrong(line: String, problem: String) {
    #expect(Configuration.problems("[daemon]\n" + line + Self.echo) == ["t.toml:" + problem])
  }

  @Test("warn of programs that could command begatd, where it is started by hand and not by root")
  func warnOfPrograms() throws {
    let text = """
      [service.a]
      exec = ["/bin/cat"]
      listen-stream = "1111"
      [service.b]
      serve = "command"
      listen-stream = "1112"
      commands = { list = ["/bin/ls"] }
      [service.c]
      serve = "command"
      listen-stream = "1113"
      [service.d]
      exec = ["/bin/cat"]
      listen-stream = "1114"
      enabled = false
      """
    let user: uid_t = 12_345
    let configuration = try Configuration.sample(text, user: user)
    #expect(configuration.servicesOfOwnUser(1000).map(\.name) == ["a", "b"])
    #expect(configuration.warningsByHand(user: user).map(\.key) == ["service.a", "service.b"])
    #expect(configuration.warningsByHand(user: 0) == [])
    #expect(try Configuration.sample(text).servicesOfOwnUser(0).isEmpty)
    let without = try Configuration.sample(text + "\n[daemon]\ncontrol-socket = \"none\"\n", user: user)
    #expect(without.warningsByHand(user: user) == [])
  }
}
