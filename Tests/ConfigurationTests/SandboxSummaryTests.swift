import Confinement
import Testing

@testable import Configuration

/// How services are confined, as `begat check` shows it.
@Suite("The summary of sandboxes")
struct SandboxSummaryTests {
  private static func service(_ name: String, _ lines: String...) -> String {
    "[service.\(name)]\nlisten-stream = [\"127.0.0.1:0\"]\n" + lines.map { $0 + "\n" }.joined()
  }

  private static let services =
    service("a", "serve = \"echo\"") + service("b", "serve = \"time\"") + service("login", "serve = \"command\"")
    + service("cat", "exec = [\"/bin/cat\"]", "read-only-paths = [\"/usr\", \"/etc\"]", "network = \"none\"")
    + service("open", "serve = \"echo\"", "sandbox = \"off\"")
    + service("sudo", "exec = [\"/bin/cat\"]", "allow-set-user-id = true")

  private func text(landlock version: Int, filters: Bool) throws -> String {
    let support = KernelSupport(landlockVersion: version, takesFilters: filters)
    return try Configuration.sample(Self.services).effectiveSettings(width: 132, support: support)
  }

  @Test("has that of most services once, and then those that differ")
  func commonFirst() throws {
    let expected = """

      sandbox: the system calls that it needs, no files, no connections to others, no signals to others

      SERVICE  SANDBOX
      login    the system calls that it needs, no file but the list of logins, no connections to others, no signals to others
      cat      all system calls but those that no service needs, reads /usr /etc, no network
      open     unconfined (sandbox off)
      sudo     unconfined (allow-set-user-id)

      """
    let text = try text(landlock: 6, filters: true)
    #expect(text.contains(expected), "\(text)")
  }

  @Test("claims nothing that the kernel lacks")
  func gaps() throws {
    let withoutLandlock = try text(landlock: 0, filters: true)
    #expect(withoutLandlock.contains("\nsandbox: the system calls that it needs, no files, no connections to others\n"))
    #expect(withoutLandlock.contains("\ncat      all system calls but those that no service needs, no network\n"))
    let withoutFilters = try text(landlock: 1, filters: false)
    #expect(withoutFilters.contains("\nsandbox: no files\n"), "\(withoutFilters)")
    #expect(withoutFilters.contains("\ncat      reads /usr /etc\n"), "\(withoutFilters)")
    let without = try text(landlock: 0, filters: false)
    #expect(without.contains("\nsandbox: its user's rights alone\n"), "\(without)")
  }
}
