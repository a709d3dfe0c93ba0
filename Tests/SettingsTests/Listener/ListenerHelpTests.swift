import Testing

@testable import Settings

@Suite struct ListenerHelpTests {
  private let lines = ListenerOptions.helpText.split(separator: "\n").map(String.init)

  @Test("shows every option once, with what stands for its value")
  func showsEveryOption() {
    for key in ListenerOptions.keys {
      let head = "  --\(key.name)" + (key.isOpenTable ? ".NAME" : "") + (key.isBoolean ? "" : " \(key.placeholder)")
      let shown = lines.indices.filter { lines[$0] == head || lines[$0].hasPrefix(head + " ") }
      #expect(shown.count == 1, "--\(key.name)")
      guard let index = shown.first else { continue }
      let rest = lines[(index + 1)...].prefix { $0.hasPrefix("   ") }
      let words = ([lines[index]] + rest).joined(separator: " ").split(separator: " ").joined(separator: " ")
      #expect(words.contains(key.help), "--\(key.name)")
    }
    #expect(Set(ListenerOptions.keys.map(\.name)).count == ListenerOptions.keys.count)
    #expect(lines.filter { $0.hasPrefix("  --") }.count == ListenerOptions.keys.count)
  }

  @Test("fits a terminal of 120 columns")
  func fitsATerminal() { for line in lines { #expect(line.count <= 120, "\(line)") } }

  @Test("shows defaults")
  func showsDefaults() {
    #expect(lines.contains { $0.hasPrefix("  --idle-timeout TIME ") && $0.hasSuffix(" (10m)") })
    #expect(lines.contains { $0.hasPrefix("  --socket-mode MODE ") && $0.hasSuffix(" (0666)") })
    #expect(lines.contains { $0.hasPrefix("  --keep-alive ") && $0.hasSuffix(" (true)") })
  }
}
