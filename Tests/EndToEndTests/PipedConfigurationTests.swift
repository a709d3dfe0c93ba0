import Testing
@_spi(Begat) import UnixCore

/// A configuration that another program writes.
@Suite(.timeLimit(.minutes(30)))
struct PipedConfigurationTests {
  private let service = "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"127.0.0.1:0\"]\n"

  @Test("is checked on standard input", arguments: ["-", "/dev/stdin", "/dev/fd/0"])
  func isChecked(name: String) throws {
    let right = try RunningProgram.run(
      try Programs.begat(), ["check", "--config", name], input: .text(service))
    #expect(right.status == .exited(code: 0), "\(right.errors.text)")
    #expect(right.output.text.contains("\necho "), "\(right.output.text)")
    let wrong = try RunningProgram.run(
      try Programs.begat(), ["check", "--config", name], input: .text(service + "backlog = 0\n"))
    #expect(wrong.status == .exited(code: 78))
    #expect(
      wrong.errors.lines.count == 1 && wrong.errors.text.hasPrefix("begat check: \(name):4:11: service.echo.backlog: "))
  }
}
