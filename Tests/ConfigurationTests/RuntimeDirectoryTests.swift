import Glibc
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

@Suite struct RuntimeDirectoryTests {
  @Test(
    "is found",
    arguments: [
      (0, [:], "/run/begat"), (7, [:], "/tmp/begat-7"), (7, ["XDG_RUNTIME_DIR": "/run/user/7"], "/run/user/7/begat"),
      (0, ["XDG_RUNTIME_DIR": "/run/user/0"], "/run/begat"), (7, ["XDG_RUNTIME_DIR": "x"], "/tmp/begat-7"),
      (7, ["XDG_RUNTIME_DIR": "", "RUNTIME_DIRECTORY": ""], "/tmp/begat-7"),
      (0, ["RUNTIME_DIRECTORY": "/run/a:/run/b"], "/run/a"), (7, ["RUNTIME_DIRECTORY": "/run/a"], "/run/a"),
      (7, ["RUNTIME_DIRECTORY": "a"], "/tmp/begat-7"),
    ] as [(uid_t, [String: String], String)])
  func isFound(user: uid_t, variables: [String: String], path: String) {
    #expect(RuntimeDirectory.path(user: user) { variables[$0] } == path)
  }

  @Test("is made, whatever the umask, and found again")
  func isMade() throws {
    let directory = try TemporaryDirectory()
    let path = directory["run"]
    try RuntimeDirectory.prepare(path)
    let mode = try FileSystem.status(of: path).st_mode
    #expect(mode & 0o777 == (geteuid() == 0 ? 0o755 : 0o700))
    try RuntimeDirectory.prepare(path)
  }

  @Test("is refused when it is something else")
  func isRefused() throws {
    let directory = try TemporaryDirectory()
    try directory.write("", to: "file")
    try directory.makeDirectory("real")
    try #require(symlink("real", directory["link"]) == 0)
    try #require(symlink("nowhere", directory["dangling"]) == 0)
    for name in ["file", "link", "dangling"] {
      #expect(throws: RuntimeDirectory.Refusal.notADirectory(directory[name])) {
        try RuntimeDirectory.prepare(directory[name])
      }
    }
    try directory.makeDirectory("open", mode: 0o777)
    #expect(throws: RuntimeDirectory.Refusal.writableByOthers(directory["open"])) {
      try RuntimeDirectory.prepare(directory["open"])
    }
    let missing = SystemCallError("mkdir", on: directory["a/b"], code: .noSuchFileOrDirectory)
    #expect(throws: RuntimeDirectory.Refusal.call(missing)) { try RuntimeDirectory.prepare(directory["a/b"]) }
  }

  @Test("is refused when it is another's", .enabled(if: geteuid() == 0, "needs root to give a directory away"))
  func isRefusedWhenAnothers() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("x")
    try #require(chown(directory["x"], 1, 1) == 0)
    let refusal = RuntimeDirectory.Refusal.ownedByAnother(directory["x"], owner: 1)
    #expect(throws: refusal) { try RuntimeDirectory.prepare(directory["x"]) }
    #expect(
      refusal.description
        == "\(directory["x"]): belongs to user 1, not to user 0; remove it or set RUNTIME_DIRECTORY")
  }
}
