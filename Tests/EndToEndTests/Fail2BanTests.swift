import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The action for fail2ban that is shipped, in the real one, which calls the real `begat`.
@Suite(.timeLimit(.minutes(30))) struct Fail2BanTests {
  private static let configuration = SampleConfiguration.service("time") + SampleConfiguration.service("command")

  @Test("bans what fail2ban bans, and takes it back when fail2ban does")
  func bans() throws {
    try withDaemon(Self.configuration) { daemon in
      let jail = try Jail(action: "begat", for: daemon)
      #expect(try daemon.serves("127.0.0.7"))
      try jail.report("127.0.0.7")
      try jail.report("2001:db8::1")
      #expect(try eventually(within: .seconds(30)) { try !daemon.serves("127.0.0.7") }, "\(jail.log)")
      #expect(try !daemon.serves("127.0.0.7", at: "command") && daemon.serves("127.0.0.8"))
      #expect(try eventually { try daemon.begat("status").output.text.contains("2001:db8::1  (all)    ever") })
      try jail.unban("127.0.0.7")
      #expect(try eventually(within: .seconds(30)) { try daemon.serves("127.0.0.7") }, "\(jail.log)")
      // At its end it takes back what is left.
      try jail.stop()
      #expect(try !daemon.begat("status").output.text.contains("DENIED"), "\(jail.log)")
      #expect(!jail.log.contains("ERROR"), "\(jail.log)")
    }
  }

  @Test("bans from one service, and with a limit of time")
  func bansFromOneService() throws {
    try withDaemon(Self.configuration) { daemon in
      let jail = try Jail(action: "begat[options=\"--service time\", limit=\"--for 1d\"]", for: daemon)
      try jail.report("127.0.0.7")
      #expect(try eventually(within: .seconds(30)) { try !daemon.serves("127.0.0.7") }, "\(jail.log)")
      #expect(try daemon.serves("127.0.0.7", at: "command"))
      #expect(try daemon.begat("status").output.lines.contains { $0.hasPrefix("127.0.0.7  time     23h") })
      try jail.unban("127.0.0.7")
      #expect(try eventually(within: .seconds(30)) { try daemon.serves("127.0.0.7") }, "\(jail.log)")
      try jail.stop()
      #expect(!jail.log.contains("ERROR"), "\(jail.log)")
    }
  }

  /// An administrator was faster, or the limit of time was.
  @Test("takes a ban for ended that has ended already")
  func unbansWhatIsNotBanned() throws {
    try withDaemon(Self.configuration) { daemon in
      let jail = try Jail(action: "begat", for: daemon)
      try jail.report("127.0.0.7")
      #expect(try eventually(within: .seconds(30)) { try !daemon.serves("127.0.0.7") }, "\(jail.log)")
      #expect(try daemon.begat("allow", "127.0.0.7").status == .exited(code: 0))
      try jail.unban("127.0.0.7")
      try jail.stop()
      #expect(!jail.log.contains("ERROR"), "\(jail.log)")
    }
  }
}

/// fail2ban with one jail, which reads a log of the test's.
private final class Jail {
  private let directory: TemporaryDirectory
  private let server: RunningProgram

  init(action: String, for daemon: Daemon) throws {
    directory = try TemporaryDirectory()
    for name in ["action.d", "filter.d"] { try directory.make(name) }
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
      ignoreself = false
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
    try directory.write("", to: "log")
    let programs = try Programs.begat().split(separator: "/").dropLast().joined(separator: "/")
    server = try RunningProgram(
      "/usr/bin/env",
      [
        "PATH=/\(programs):/usr/bin:/bin", "RUNTIME_DIRECTORY=\(daemon.directory.path("run"))",
        try Programs.tool("fail2ban-server"), "-f", "-c", directory.path,
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

  /// The output so far.
  var log: String { server.errors.text }
}
