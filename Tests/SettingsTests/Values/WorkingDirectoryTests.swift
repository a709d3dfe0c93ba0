import Settings
import Testing

@Suite struct WorkingDirectoryTests {
  @Test("leads relative paths on, and absolute ones nowhere else")
  func leadsOn() throws {
    let directory = try #require(WorkingDirectory.path)
    #expect(directory.hasPrefix("/"))
    let beginning = directory == "/" ? "" : directory
    #expect("a/b".absolutePath == "\(beginning)/a/b" && "../a".absolutePath == "\(beginning)/../a")
    #expect("/a".absolutePath == "/a")
  }
}
