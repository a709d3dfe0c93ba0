import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// A begatd of a user that is not root and has capabilities, for which root writes the records of users.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "needs root"))
struct UserRecordsTests {
  private static let user: uid_t = 61_234
  private static let services = SampleConfiguration.service("echo") + SampleConfiguration.service("time")

  /// Lets begatd run as the unit would: with the machine's places of its own, after root has written records.
  private static let unit = """
    mount --make-rprivate / && mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none /var/lib &&
    mkdir /var/lib/begat "$RUNTIME_DIRECTORY" && chown \(user):\(user) /var/lib/begat "$RUNTIME_DIRECTORY" &&
    "$0" --write-user-records "$1" "$2" &&
    caps=+setuid,+setgid,+kill,+net_bind_service &&
    exec setpriv --reuid=\(user) --regid=\(user) --clear-groups --inh-caps=-all,$caps --ambient-caps=-all,$caps \
      --bounding-set=-all,$caps "$0" "$@"
    """

  private func withUnit(_ configuration: String, _ body: (Daemon, String) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    chmod(directory.path, 0o755)
    let daemon = try Daemon(
      configuration, in: directory, environment: ["STATE_DIRECTORY=/var/lib/begat"],
      wrapper: [try Programs.tool("unshare"), "-m", try Programs.tool("sh"), "-c", Self.unit])
    defer { daemon.kill() }
    try body(daemon, "/proc/\(daemon.process)/root")
    try daemon.stop()
  }

  /// Runs a program as root where the daemon's places are.
  private func asRoot(_ daemon: Daemon, _ words: [String], status: CInt = 0) throws -> RunningProgram {
    let run = try RunningProgram.run(
      try Programs.tool("nsenter"), ["--mount", "--target", "\(daemon.process)"] + words,
      environment: ["STATE_DIRECTORY=/var/lib/begat", "RUNTIME_DIRECTORY=\(daemon.directory.path("run"))"])
    #expect(run.status == .exited(code: status), "\(run.errors.text)")
    return run
  }

  private func numbers(_ root: String) throws -> [String: UInt32] {
    let text = try String(contentsOfFile: root + "/var/lib/begat/identities", encoding: .utf8)
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
    return Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), UInt32($0[1])!) })
  }

  private func records(_ root: String) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: root + "/run/userdb"))
  }

  @Test("services get users of their own, whose records root has written, in a file of begatd's")
  func records() throws {
    try withUnit(Self.services) { daemon, root in
      let file = try FileManager.default.attributesOfItem(atPath: root + "/var/lib/begat/identities")
      #expect(file[.ownerAccountID] as? Int == Int(Self.user))
      let numbers = try numbers(root)
      for service in ["echo", "time"] {
        let number = try #require(numbers[service])
        #expect(
          ProcessFacts.statusLine("Uid", of: try daemon.listener(service))
            == "\(number)\t\(number)\t\(number)\t\(number)")
        let record = try asRoot(daemon, ["cat", "/run/userdb/begat-\(service).user"])
        #expect(record.output.text.contains("\"uid\":\(number),"), "\(record.output.text)")
        #expect(try records(root).isSuperset(of: ["\(number).user", "\(number).group", "begat-\(service).group"]))
      }
      // The same is found by root.
      let check = try asRoot(daemon, [try Programs.begat(), "check", "--config", daemon.directory.path("begatd.toml")])
      #expect(check.errors.text == "" || !check.errors.text.contains("user"), "\(check.errors.text)")
      for service in ["echo", "time"] {
        #expect(check.output.text.contains("\(numbers[service]!)"), "\(check.output.text)")
      }
    }
  }

  @Test("a reload gives a new service the number whose record root has written, and stale records go")
  func reload() throws {
    try withUnit(Self.services) { daemon, root in
      let more = Self.services + SampleConfiguration.service("daytime")
      let directory = root + "/run/userdb"
      // Of a file of numbers that was removed; and one that is none of begatd's.
      let stale =
        #"{"userName":"begat-gone","uid":70123,"gid":70123,"realName":"begat service gone","disposition":"dynamic"}"#
      try stale.write(toFile: directory + "/begat-gone.user", atomically: false, encoding: .utf8)
      try FileManager.default.createSymbolicLink(
        atPath: directory + "/70123.user", withDestinationPath: "begat-gone.user")
      try "{\"userName\":\"begat-admin\"}".write(
        toFile: directory + "/begat-admin.user", atomically: false, encoding: .utf8)
      try daemon.directory.write(more, to: "begatd.toml")
      _ = try asRoot(
        daemon,
        [try Programs.begatd(), "--write-user-records", "--config", daemon.directory.path("begatd.toml")])
      let number = try #require(try numbers(root)["daytime"])
      #expect(try records(root).contains("\(number).user"))
      #expect(try records(root).isDisjoint(with: ["begat-gone.user", "70123.user"]))
      #expect(try records(root).contains("begat-admin.user"))
      try daemon.reload(more)
      #expect(ProcessFacts.statusLine("Uid", of: try daemon.listener("daytime"))?.hasPrefix("\(number)\t") == true)
    }
  }

  @Test("a configuration that is not in order, or a hostile file, is begatd's to complain about")
  func faults() throws {
    try withUnit(Self.services) { daemon, root in
      let before = try String(contentsOfFile: root + "/var/lib/begat/identities", encoding: .utf8)
      let file = try daemon.directory.write("[service.echo]\n", to: "broken.toml")
      let run = try asRoot(daemon, [try Programs.begatd(), "--write-user-records", "--config", file])
      #expect(run.errors.text == "" && run.output.text == "")
      #expect(try String(contentsOfFile: root + "/var/lib/begat/identities", encoding: .utf8) == before)
      // A link of begatd's user leads root nowhere.
      let victim = root + "/run/victim"
      try "precious\n".write(toFile: victim, atomically: false, encoding: .utf8)
      chmod(victim, 0o600)
      unlink(root + "/var/lib/begat/identities")
      try FileManager.default.createSymbolicLink(
        atPath: root + "/var/lib/begat/identities", withDestinationPath: "/run/victim")
      _ = try asRoot(
        daemon,
        [try Programs.begatd(), "--write-user-records", "--config", daemon.directory.path("begatd.toml")])
      #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious\n")
    }
  }

  @Test("only root may")
  func otherUsers() throws {
    let wrapper = try Machine.unprivileged()
    let run = try RunningProgram.run(
      wrapper[0], Array(wrapper.dropFirst()) + [try Programs.begatd(), "--write-user-records"])
    #expect(run.status == .exited(code: 1))
    #expect(run.errors.text.hasPrefix("begatd: --write-user-records: only root may"), "\(run.errors.text)")
  }
}
