import Glibc
import TestSupport
import Testing
import UnixIPC

@Suite(.timeLimit(.minutes(1))) struct FileReplacementTests {
  private func contents(_ path: String) throws -> [UInt8] {
    try Descriptor.open(path, O_RDONLY).readToEnd(limit: 1000)
  }

  private func mode(_ path: String) -> mode_t {
    var facts = stat()
    return lstat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
  }

  @Test("is seen whole, and only then")
  func isSeenWhole() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "file")
    chmod(directory["file"], 0o604)
    let file = try FileReplacement(of: directory["file"])
    try file.contents.writeAll("new")
    #expect(try contents(directory["file"]) == [1])
    try file.commit()
    #expect(try contents(directory["file"]) == Array("new".utf8))
    #expect(mode(directory["file"]) == 0o604)
  }

  @Test("leaves everything as it was where it is let go of")
  func leavesNothing() throws {
    let directory = try TemporaryDirectory()
    do {
      let file = try FileReplacement(of: directory["file"])
      try file.contents.writeAll("new")
    }
    #expect(throws: CallFailure.self) { try FileKind(at: directory["file"]) }
    try directory.makeDirectory("empty")
    do { _ = try FileReplacement(of: directory["empty/file"]) }
    // Only an empty directory can be removed.
    #expect(rmdir(directory["empty"]) == 0)
  }

  @Test("replaces what a link leads to, and no link that leads nowhere")
  func followsLinks() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "file")
    symlink("file", directory["link"])
    symlink("nowhere", directory["dangling"])
    let file = try FileReplacement(of: directory["link"])
    try file.contents.writeAll("new")
    try file.commit()
    #expect(try contents(directory["file"]) == Array("new".utf8))
    #expect(try FileKind(at: directory["link"]) == .link)
    #expect(throws: CallFailure("realpath", on: directory["dangling"], errno: .noSuchFile)) {
      _ = try FileReplacement(of: directory["dangling"])
    }
  }

  @Test("is refused for what is no regular file")
  func refusesOthers() throws {
    let directory = try TemporaryDirectory()
    try #require(mkfifo(directory["fifo"], 0o600) == 0)
    for path in [directory["fifo"], directory["."], "/dev/null"] {
      #expect(throws: CallFailure("open", on: path, errno: .invalidArgument)) { _ = try FileReplacement(of: path) }
    }
    #expect(throws: CallFailure.self) { _ = try FileReplacement(of: directory["none/file"]) }
  }
}
