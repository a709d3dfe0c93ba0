import Foundation
import Testing

/// The texts with which `journalctl -x` explains messages.
@Suite struct CatalogTests {
  @Test("has an entry for each kind of message that has a number, and no other")
  func hasAnEntryForEachKind() throws {
    func text(_ path: String) throws -> String {
      try String(contentsOfFile: "\(Programs.package)/\(path)", encoding: .utf8)
    }
    let numbers = try text("Sources/Supervision/Log/MessageID.swift").matches(of: /"([0-9a-f]{32})"/).map { "\($0.1)" }
    let catalog = try text("systemd/begat.catalog")
    let entries = catalog.matches(of: /(?m)^-- ([0-9a-f]{32})$/).map { "\($0.1)" }
    #expect(numbers.count == 13 && Set(numbers).count == numbers.count)
    #expect(entries.sorted() == numbers.sorted())
    #expect(catalog.matches(of: /(?m)^Subject: .+$/).count == entries.count)
    #expect(catalog.utf8.allSatisfy { $0 == 10 || (0x20...0x7e).contains($0) })
  }
}
