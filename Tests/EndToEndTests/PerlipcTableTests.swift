import Glibc
import Testing
import UnixCore

/// docs/perlipc.md names no test that does not exist.
@Suite struct PerlipcTableTests {
  private static let repository = #filePath.components(before: "/Tests/")

  private func contents(_ path: String) -> String? {
    guard let file = try? Descriptor.open("\(Self.repository)/\(path)", .readOnly),
      let bytes = try? file.readPrefix(1 << 20)
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("names tests that exist, and none twice for want of another")
  func namesTestsThatExist() throws {
    let table = try #require(contents("docs/perlipc.md"))
    let references = table.matches(of: /`(\w+Tests)\.(\w+)`/)
    #expect(references.count > 60)
    for reference in references {
      let suite = reference.output.1
      let folders =
        ["UnixIPC/Tests/UnixIPCTests", "UnixIPC/Tests/NameServiceTests"]
        + ["EndToEndTests", "ClientsTests"].map { "Tests/\($0)" }
      let sources = folders.compactMap { contents("\($0)/\(suite).swift") }
      #expect(!sources.isEmpty, "\(suite) does not exist")
      #expect(sources.contains { $0.contains("func \(reference.output.2)(") }, "\(reference.output.0) does not exist")
    }
  }

  @Test("has a test in every row but those that are coming, and its advice")
  func hasATestInEveryRow() throws {
    let table = try #require(contents("docs/perlipc.md"))
    let rows = table.components(before: "## Its advice").split(separator: "\n").filter { $0.hasPrefix("| ") }
    #expect(rows.count > 60)
    for row in rows where !row.hasPrefix("| perlipc") && !row.hasPrefix("| ---") {
      #expect(row.contains("Tests.") || row.contains("*coming:*"), "\(row)")
    }
  }
}

extension String {
  /// What stands before the first occurrence of a text; all of it, where there is none.
  fileprivate func components(before text: String) -> String {
    firstRange(of: text).map { String(self[..<$0.lowerBound]) } ?? self
  }
}
