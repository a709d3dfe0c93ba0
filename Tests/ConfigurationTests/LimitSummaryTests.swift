import Testing

@testable import Configuration

/// The limits as `begat check` shows them.
@Suite("The summary of limits")
struct LimitSummaryTests {
  private static func service(_ name: String, _ lines: String...) -> String {
    "[service.\(name)]\n" + lines.map { $0 + "\n" }.joined()
  }

  private static let echo = ["serve = \"echo\"", "listen-stream = [\"127.0.0.1:0\"]"]

  private func text(_ services: String..., width: Int = 80) throws -> String {
    try Configuration.sample(services.joined()).effectiveSettings(width: width)
  }

  @Test("has what most services have once, and then what differs")
  func commonFirst() throws {
    let echo = Self.echo.joined(separator: "\n")
    let text = try text(
      Self.service("a", echo, "max-connections = 7"), Self.service("b", echo, "max-connections = 7"),
      Self.service("c", echo), Self.service("d", echo, "max-connections = 7", "rate = \"5/s\"", "log = \"none\""))
    #expect(text.contains("\nconnections: max-connections 7, max-connections-per-source 32, rate none,\n"), "\(text)")
    let differences = """

      SERVICE  DIFFERS IN
      c        max-connections 256
      d        rate 5/s, log none

      """
    #expect(text.contains(differences), "\(text)")
  }

  @Test("names the keys that have an effect where most have none")
  func keysWithoutEffect() throws {
    let text = try text(
      Self.service("a", Self.echo.joined(separator: "\n")),
      Self.service("cat", "exec = [\"/bin/cat\"]", "listen-stream = [\"127.0.0.1:0\"]"),
      Self.service("own", "exec = [\"/bin/cat\"]", "listen-stream = [\"127.0.0.1:0\"]", "wait = true", "rate = \"9/s\"")
    )
    #expect(text.contains("\ncat      without first-byte-timeout, idle-timeout\n"), "\(text)")
    #expect(text.contains("\nown      rate 9/s; only rate, max-duration, log have an effect\n"), "\(text)")
  }

  @Test("and all tables fit the page", arguments: [60, 80, 132])
  func fitsThePage(width: Int) throws {
    let words = (1...30).map { "\"--option-\($0)\"" }.joined(separator: ", ")
    let networks = (1...30).map { "\"192.0.2.\($0)\"" }.joined(separator: ", ")
    let text = try text(
      Self.service(
        "program", "exec = [\"/bin/cat\", \(words)]", "listen-stream = [\"127.0.0.1:0\"]", "deny = [\(networks)]"),
      Self.service("time", "serve = \"time\"", "listen-stream = [\"[::1]:0\"]", "listen-datagram = [\"[::1]:0\"]"),
      Self.service("a", Self.echo.joined(separator: "\n"), "max-connections = 7"), width: width)
    let widest = text.split(separator: "\n").map(\.count).max() ?? 0
    #expect(widest <= width && widest > width - 20, "\(widest) of \(width):\n\(text)")
    #expect(text.contains("--option-30") && text.contains("192.0.2.30"))
  }
}
