import Testing
import UnixCore
import UnixIPCTestSupport

/// What the documentation's programs must not teach.
@Suite struct SnippetRulesTests {
  private static let package = String("\(#filePath)".split(separator: "/Tests/UnixIPCTests")[0])
  private static let articles = ["UnixIPC", "NameService"].map { "\(package)/Sources/\($0)/\($0).docc" }

  /// The lines of a snippet, or those of an article's blocks of Swift, each block a program of its own.
  private struct Example {
    let path: String
    let lines: [Substring]
  }

  private static func examples() throws -> [Example] {
    var examples: [Example] = []
    for folder in ["\(package)/Snippets"] + articles {
      for name in try Program(path: "/bin/ls", arguments: [folder]).capture(limit: 1 << 16).string.split(
        separator: "\n")
      {
        let path = "\(folder)/\(name)"
        let text = String(decoding: try Descriptor.open(path, .readOnly).readPrefix(1 << 20), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if path.hasSuffix(".swift") { examples.append(Example(path: path, lines: lines)) }
        if path.hasSuffix(".md") {
          for block in text.split(separator: "```swift\n", omittingEmptySubsequences: false).dropFirst() {
            let code = block.prefix(while: { $0 != "`" }).split(separator: "\n")
            examples.append(Example(path: path, lines: code))
          }
        }
      }
    }
    return examples
  }

  /// Swift destroys no variable of the top level: a FIFO would stay behind, a child run on, a terminal stay raw.
  @Test("no owner is a variable of the top level")
  func ownersAreInBlocks() throws {
    let owner =
      #/^(let|var) .*(FIFOServer\(|FIFO\.make|SignalQueue\(|SignalDescriptor\(|Cancellation\(on|Conversation\(|ChildProcesses\(|\.spawn\(|ForkedProcess\.|\.openFor|UnixSocketFile\.|createAttached|SemaphoreSet\.create|ListeningSocket\(|TemporaryDirectory|connect\()/#
    let examples = try Self.examples()
    #expect(examples.count >= 20)
    for example in examples {
      for line in example.lines where line.firstMatch(of: owner) != nil {
        // Its own status is waited for in the same expression, so that nothing is owned.
        if line.contains(".waitForExit(") || line.contains("ForkedProcess.Options") { continue }
        Issue.record("\(example.path): \(line)")
      }
    }
  }

  /// A pattern with a `where` clause crashes swiftc 6.3.1 when the clause has `&&`.
  @Test("no catch has a where clause")
  func catchesHaveGuards() throws {
    for example in try Self.examples() {
      for line in example.lines where line.contains("catch") && line.contains(" where ") {
        Issue.record("\(example.path): \(line)")
      }
    }
  }
}
