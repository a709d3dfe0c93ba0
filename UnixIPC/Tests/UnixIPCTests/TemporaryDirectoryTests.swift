import Glibc
import Testing
import UnixIPCTestSupport

/// The directories that the tests themselves make.
@Suite struct TemporaryDirectoryTests {
  @Test("are removed with names that are no text, and no further than their links")
  func leavesNothing() throws {
    let kept = try TemporaryDirectory()
    try kept.write("kept".utf8, to: "file")
    var path = ""
    do {
      let directory = try TemporaryDirectory()
      path = directory.path
      try directory.makeDirectory("inner")
      var name = Array((directory["inner"] + "/na\0me").utf8CString)
      name[name.count - 4] = CChar(bitPattern: 0xe9)
      try #require(mkdir(name, 0o700) == 0)
      try #require(symlink(kept.path, directory["link"]) == 0)
    }
    #expect(access(path, F_OK) == -1)
    #expect(kept.facts("file") != nil)
  }
}
