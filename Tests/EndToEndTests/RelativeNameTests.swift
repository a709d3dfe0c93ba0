import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Upgrades of a begatd that was started with relative names of itself and its files.
@Suite(.timeLimit(.minutes(10)))
struct RelativeNameTests {
  /// Starts begatd in the installation's directory, with relative names of the program and its configuration.
  private static func relatively(_ installation: Installation, _ options: String = "") -> [String] {
    shell("cd \"$0\" && shift 3 && exec bin/begatd \(options) --config begatd.toml \"$@\"")
      + [installation.directory.path]
  }

  @Test func relativeNamesAreThoseOfTheDirectoryOfTheStart() throws {
    let installation = try Installation()
    let echo = SampleConfiguration.service("echo")
    let daemon = try installation.daemon(echo, wrapper: Self.relatively(installation))
    let held = try Client(try daemon.address("echo"))
    try UpgradeTests.greet(held)
    for _ in 0..<2 { try UpgradeTests.expectOneListener(installation) }
    try installation.wrapBegatd(Installation.losingBans)
    let failed = try installation.upgrade()
    #expect(failed.errors.text.contains("; begatd 0.1.0 goes on\n"), "\(failed.output.text)\(failed.errors.text)")
    try UpgradeTests.greet(held)
    try UpgradeTests.greet(try Client(try daemon.address("echo")))
    #expect(try daemon.reload(echo + SampleConfiguration.service("time")).contains("reloaded in"))
    try installation.renew()
    let upgraded = try installation.upgrade()
    #expect(upgraded.output.text.contains("; 2 listeners replaced, "), "\(upgraded.errors.text)")
    try UpgradeTests.greet(held)
    held.hangUp()
    try daemon.stop()
  }

  @Test func aBegatdThatLeftTheTerminalAndItsDirectoryFindsThem() throws {
    let installation = try Installation()
    let directory = installation.directory
    try directory.write(SampleConfiguration.service("echo"), to: "begatd.toml")
    let words = Self.relatively(installation, "--daemon --pid-file pid") + ["", "", ""]
    let start = try RunningProgram.run(
      words[0], Array(words.dropFirst()), environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
    #expect(start.status == .exited(code: 0), "\(start.errors.text)")
    let number = try #require(pid_t(try String(contentsOfFile: directory.path("pid"), encoding: .utf8).trimmed))
    defer { try? Signal.kill.send(to: number) }
    for _ in 0..<2 { try UpgradeTests.expectOneListener(installation) }
    try installation.wrapBegatd(Installation.losingBans)
    let failed = try installation.upgrade()
    #expect(failed.errors.text.contains("; begatd 0.1.0 goes on\n"), "\(failed.output.text)\(failed.errors.text)")
    try Signal.terminate.send(to: number)
    #expect(eventually(within: .seconds(10)) { access(directory.path("pid"), F_OK) == -1 })
  }
}
