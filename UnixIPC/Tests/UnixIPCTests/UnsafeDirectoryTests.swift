import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct UnsafeDirectoryTests {
  private func reason(_ path: String) throws -> UnsafeDirectory? { try UnsafeDirectory.find(on: path) }

  @Test("root's own directories are safe", arguments: ["/", "/tmp", "/usr/bin", "/usr/./lib//", "/usr/../usr/lib/.."])
  func rootsAreSafe(path: String) throws { #expect(try reason(path) == nil) }

  @Test("an ancestor that others may write is the reason")
  func looksAtAncestors() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("open", mode: 0o777)
    try directory.makeDirectory("open/inner")
    let danger = UnsafeDirectory(path: directory["open"], reason: .writableByAll)
    #expect(try reason(directory["open/inner"]) == danger)
    // Where a name leads to may be changed before the way back.
    #expect(try reason(directory["open/inner/.."]) == danger)
  }

  @Test("another user's directory is unsafe, whatever its mode", .enabled(if: isRoot, "needs root to give a file away"))
  func refusesAnotherUsers() throws {
    let directory = try TemporaryDirectory()
    for mode: mode_t in [0o700, 0o755, 0o1777] {
      try directory.makeDirectory("theirs\(mode)", mode: mode)
      try #require(chown(directory["theirs\(mode)"], 34, 34) == 0)
      let danger = UnsafeDirectory(path: directory["theirs\(mode)"], reason: .ownedByAnother(34))
      #expect(try reason(directory["theirs\(mode)"]) == danger)
    }
  }

  @Test("links are followed, each looked at", .enabled(if: isRoot, "needs root to give a file away"))
  func followsLinks() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("safe")
    try directory.makeDirectory("open", mode: 0o777)
    try #require(symlink("safe", directory["toSafe"]) == 0)
    try #require(symlink(directory["open"], directory["toOpen"]) == 0)
    try #require(symlink("safe", directory["foreign"]) == 0)
    try #require(lchown(directory["foreign"], 34, 34) == 0)
    #expect(try reason(directory["toSafe"]) == nil)
    #expect(try reason(directory["toOpen"]) == UnsafeDirectory(path: directory["open"], reason: .writableByAll))
    #expect(try reason(directory["foreign"]) == UnsafeDirectory(path: directory["foreign"], reason: .linkOfAnother(34)))
  }

  @Test("says what leads nowhere")
  func saysWhatLeadsNowhere() throws {
    let directory = try TemporaryDirectory()
    try directory.write([], to: "file")
    try #require(symlink("loop", directory["loop"]) == 0)
    func errno(_ name: String) -> CInt? {
      failure { () throws(SystemCallError) in try UnsafeDirectory.find(on: directory[name]) }?.code.rawValue
    }
    #expect(errno("none") == ENOENT)
    #expect(errno("file") == ENOTDIR)
    #expect(errno("loop") == ELOOP)
  }
}
