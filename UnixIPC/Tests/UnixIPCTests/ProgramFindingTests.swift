import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct ProgramFindingTests {
  private func why(_ name: String, _ searchPath: String?) -> ErrorCode? {
    failure { () throws(SystemCallError) in _ = try Program.find(name, searchPath: searchPath) }?.code
  }

  @Test("the first directory that has it counts, and a word with a slash is the path")
  func finds() throws {
    let directory = try TemporaryDirectory()
    for name in ["one", "two"] { mkdir("\(directory.path)/\(name)", 0o755) }
    for file in ["one/tool", "two/tool", "two/other"] {
      _ = try Descriptor.open("\(directory.path)/\(file)", [.create, .writeOnly], mode: 0o755)
    }
    mkdir("\(directory.path)/one/other", 0o755)
    let path = "\(directory.path)/none::.:\(directory.path)/one:\(directory.path)/two"
    #expect(try Program.find("tool", searchPath: path) == "\(directory.path)/one/tool")
    // A directory is no program.
    #expect(try Program.find("other", searchPath: path) == "\(directory.path)/two/other")
    let here = "\(directory.path)/one/../two/other"
    #expect(try Program.find(here, searchPath: nil) == here)
    #expect(try Program.find("sh", searchPath: nil).hasSuffix("/bin/sh"))
  }

  @Test("what is not there is told from what cannot be executed")
  func refuses() throws {
    let directory = try TemporaryDirectory()
    _ = try Descriptor.open("\(directory.path)/plain", [.create, .writeOnly], mode: 0o644)
    #expect(why("plain", directory.path) == .permissionDenied)
    #expect(why("missing", directory.path) == .noSuchFileOrDirectory)
    #expect(why("", directory.path) == .noSuchFileOrDirectory)
    #expect(why("\(directory.path)/plain", nil) == .permissionDenied)
    #expect(why(directory.path, nil) == .permissionDenied)
    #expect(why("\(directory.path)/missing", nil) == .noSuchFileOrDirectory)
    #expect(why("\(directory.path)/plain/missing", nil) == ErrorCode.notDirectory)
    #expect(why("sh", "") == .noSuchFileOrDirectory)
    #expect(why("sh", "bin:usr/bin") == .noSuchFileOrDirectory)
  }
}
