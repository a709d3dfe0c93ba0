import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The action for fail2ban that is shipped, in the real one, which calls a `begat` of the test's.
@Suite(.timeLimit(.minutes(2))) struct Fail2BanTests {
  @Test("bans what fail2ban bans, and takes it back when fail2ban does")
  func bans() throws {
    let jail = try Jail(action: "begat")
    try jail.report("192.0.2.7")
    try jail.report("2001:db8::1")
    try jail.awaitCalls(["deny 192.0.2.7", "deny 2001:db8::1"])
    try jail.unban("192.0.2.7")
    try jail.awaitCalls(["deny 192.0.2.7", "deny 2001:db8::1", "allow 192.0.2.7"])
    // At its end it takes back what is left.
    try jail.stop()
    try jail.awaitCalls(["deny 192.0.2.7", "deny 2001:db8::1", "allow 192.0.2.7", "allow 2001:db8::1"])
  }

  @Test("bans from one service, and with a limit of time")
  func bansFromOneService() throws {
    let jail = try Jail(action: "begat[options=\"--service hello\", limit=\"--for 1d\"]")
    try jail.report("192.0.2.7")
    try jail.awaitCalls(["deny --service hello --for 1d 192.0.2.7"])
    try jail.unban("192.0.2.7")
    try jail.awaitCalls(["deny --service hello --for 1d 192.0.2.7", "allow --service hello 192.0.2.7"])
  }
}

/// fail2ban with one jail, which reads a log of the test's.
private final class Jail {
  private let directory: TemporaryDirectory
  private let server: RunningProgram

  init(action: String) throws {
    directory = try TemporaryDirectory()
    for name in ["action.d", "filter.d", "bin"] { try directory.make(name) }
    let shipped = try String(contentsOfFile: "\(Programs.package)/etc/fail2ban/action.d/begat.conf", encoding: .utf8)
    try directory.write(shipped, to: "action.d/begat.conf")
    try directory.write(
      """
      [Definition]
      allowipv6 = yes
      loglevel = INFO
      logtarget = STDERR
      socket = \(directory.path("socket"))
      pidfile = \(directory.path("pid"))
      dbfile = None
      dbpurgeage = 1d
      """, to: "fail2ban.conf")
    try directory.write(
      """
      [test]
      enabled = true
      backend = polling
      usedns = no
      filter = test
      logpath = \(directory.path("log"))
      maxretry = 1
      findtime = 1h
      bantime = 1h
      action = \(action)
      """, to: "jail.conf")
    try directory.write(
      """
      [Definition]
      failregex = failure from <HOST>$
      datepattern = ^{EPOCH}
      """, to: "filter.d/test.conf")
    try directory.write("#!/bin/sh\necho \"$@\" >> '\(directory.path("calls"))'\n", to: "bin/begat", mode: 0o755)
    try directory.write("", to: "log")
    try directory.write("", to: "calls")
    server = try RunningProgram(
      "/usr/bin/env",
      [
        "PATH=\(directory.path("bin")):/usr/bin:/bin", try Programs.tool("fail2ban-server"), "-f", "-c", directory.path,
      ])
    try server.errors.awaitLines(containing: "Jail 'test' started", within: .seconds(30))
  }

  /// Writes a line that the jail takes for an attack from the address.
  func report(_ address: String) throws {
    let log = try FileHandle(forWritingTo: URL(fileURLWithPath: directory.path("log")))
    try log.seekToEnd()
    try log.write(contentsOf: Data("\(time(nil)) failure from \(address)\n".utf8))
    try log.close()
  }

  func unban(_ address: String) throws {
    _ = try RunningProgram.tool("fail2ban-client", ["-c", directory.path, "set", "test", "unbanip", address])
  }

  func stop() throws {
    try server.send(.terminate)
    try server.awaitEnd(within: .seconds(30))
  }

  /// Waits until `begat` was called with these words, and with no others.
  func awaitCalls(_ expected: [String]) throws {
    var calls: [String] = []
    _ = try eventually(within: .seconds(30)) {
      calls = try String(contentsOfFile: directory.path("calls"), encoding: .utf8).split(separator: "\n").map(
        String.init)
      return calls.count >= expected.count
    }
    // Several bans of one moment come in any order.
    #expect(calls.sorted() == expected.sorted(), "fail2ban said:\n\(server.errors.text)")
  }
}
