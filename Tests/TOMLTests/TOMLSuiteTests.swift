import Foundation
import TOML
import Testing

/// Every file that toml-test has for TOML 1.0.
@Suite(.enabled(if: TOMLSuite.isPresent, "needs the files of toml-test in BEGAT_TOML_TEST or ../shared/toml-test"))
struct TOMLSuiteTests {
  @Test("reads every valid file, and the same values")
  func readsValidFiles() throws {
    let names = try TOMLSuite.names(below: "valid")
    #expect(names.count > 150)
    for name in names {
      let (bytes, values) = (try TOMLSuite.bytes(name), try TOMLSuite.values(beside: name))
      let isSame = try? matches(.table(TOMLParser.parse(bytes)), values)
      #expect(isSame == true, "\(name): \(fault(bytes))")
    }
  }

  @Test("refuses every invalid file, at a place in it")
  func refusesInvalidFiles() throws {
    let names = try TOMLSuite.names(below: "invalid")
    #expect(names.count > 400)
    for name in names {
      let bytes = try TOMLSuite.bytes(name)
      let error = #expect(throws: TOMLError.self, "\(name)") { try TOMLParser.parse(bytes) }
      let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
      #expect(error.map { (1...lines).contains($0.position.line) && $0.position.column > 0 } ?? false, "\(name)")
    }
  }
}
