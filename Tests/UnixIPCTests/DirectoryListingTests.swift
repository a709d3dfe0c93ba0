import TestSupport
import Testing
import UnixIPC

@Suite struct DirectoryListingTests {
  @Test("has the names of all files, hidden ones too, and neither . nor ..")
  func hasAllNames() throws {
    let directory = try TemporaryDirectory()
    #expect(try DirectoryListing.names(in: directory.path) == [])
    let long = String(repeating: "é", count: 127)
    for name in [".hidden", "...", "plain", long] { try directory.write([], to: name) }
    try directory.makeDirectory("inner")
    #expect(try Set(DirectoryListing.names(in: directory.path)) == [".hidden", "...", "plain", long, "inner"])
  }

  @Test("names the directory that it cannot read")
  func namesTheDirectory() throws {
    let directory = try TemporaryDirectory()
    let missing = directory["missing"]
    #expect(throws: CallFailure("opendir", on: missing, errno: .noSuchFile)) {
      try DirectoryListing.names(in: missing)
    }
    try directory.write([], to: "file")
    #expect(throws: CallFailure.self) { try DirectoryListing.names(in: directory["file"]) }
  }
}
