import Testing

@testable import Settings

@Suite struct ListenerOptionTests {
  @Test("is in the help text, with what stands for its value")
  func isInTheHelpText() {
    let lines = ListenerOptions.helpText.split(separator: "\n").map(String.init)
    for option in ListenerOption.all {
      let head = "  --\(option.name)" + (option.placeholder.map { " \($0)" } ?? "")
      #expect(lines.contains { $0.hasPrefix(head + "  ") && $0.hasSuffix(option.explanation) }, "--\(option.name)")
    }
    for line in lines { #expect(line.count <= 120) }
    #expect(Set(ListenerOption.all.map(\.name)).count == ListenerOption.all.count)
  }
}
