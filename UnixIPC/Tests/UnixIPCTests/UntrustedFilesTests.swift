import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct UntrustedFilesTests {
  typealias Reason = UntrustedBytes.CheckError.Reason

  @Test(
    "take one name of a file",
    arguments: [
      ("a", nil), ("a.b", nil), ("a..", nil), ("a-b c", nil), ("é", nil), (String(repeating: "n", count: 255), nil),
      ("", .empty), (".", .beginsWithDot), ("..", .leavesDirectory), (".hidden", .beginsWithDot),
      ("...", .beginsWithDot), ("-rf", .beginsWithHyphen), ("a/b", .containsSlash), ("/", .containsSlash),
      ("/a", .containsSlash), ("a/", .containsSlash), ("a\0", .controlCharacter), ("a\n", .controlCharacter),
      (String(repeating: "n", count: 256), .tooLong(limit: 255)),
    ] as [(String, Reason?)])
  func takeNames(text: String, expected: Reason?) {
    let bytes = UntrustedBytes(text: text)
    let found = failure { () throws(UntrustedBytes.CheckError) in try bytes.fileName() }
    #expect(found?.reason == expected)
    if expected == nil { #expect((try? bytes.fileName()) == text) }
  }

  @Test(
    "take a path below a directory",
    arguments: [
      ("a", nil), ("a/b/c.txt", nil), ("", .empty), ("/", .absolute), ("/etc/passwd", .absolute),
      ("//a", .absolute), ("..", .leavesDirectory), ("../a", .leavesDirectory), ("a/../b", .leavesDirectory),
      ("a/..", .leavesDirectory), ("a/./b", .beginsWithDot), ("./a", .beginsWithDot), ("a/.git/config", .beginsWithDot),
      ("a//b", .emptyName), ("a/", .emptyName), ("a/-b", .beginsWithHyphen), ("a\0/../b", .leavesDirectory),
      ("a\0b", .controlCharacter), ("a/b\n", .controlCharacter),
      ("a/" + String(repeating: "n", count: 256), .tooLong(limit: 255)),
      (String(repeating: "a/", count: 2048) + "a", .tooLong(limit: 4095)),
    ] as [(String, Reason?)])
  func takePaths(text: String, expected: Reason?) {
    let bytes = UntrustedBytes(text: text)
    let found = failure { () throws(UntrustedBytes.CheckError) in try bytes.path(below: "/srv") }
    #expect(found?.reason == expected)
    #expect(failure { () throws(UntrustedBytes.CheckError) in try bytes.relativePath() } == found)
    guard expected == nil else { return }
    for (directory, path) in [("/srv", "/srv/\(text)"), ("/srv/", "/srv/\(text)"), ("/", "/\(text)"), ("", text)] {
      #expect((try? bytes.path(below: directory)) == path)
    }
  }

  @Test("take no path that the directory makes too long")
  func takeNoLongPath() {
    let bytes = UntrustedBytes(text: String(repeating: "a/", count: 2000) + "a")
    #expect((try? bytes.relativePath()) != nil)
    let directory = "/" + String(repeating: "d", count: 92)
    #expect((try? bytes.path(below: directory))?.utf8.count == 4096 - 1)
    let found = failure { () throws(UntrustedBytes.CheckError) in try bytes.path(below: directory + "d") }
    #expect(found?.reason == .tooLong(limit: 4000))
  }

  /// A directory `root` with a file, and links of every kind out of it; `secret` stands beside it.
  private func directory() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try directory.write("secret".utf8, to: "secret")
    try directory.makeDirectory("root")
    try directory.makeDirectory("root/inner")
    try directory.write("inside".utf8, to: "root/inner/file")
    for (name, target) in [
      ("root/out", "../secret"), ("root/absolute", directory["secret"]), ("root/up", ".."),
      ("root/within", "inner/file"),
      ("root/self", "/proc/self/root"), ("root/loop", "loop"),
    ] { try #require(symlink(target, directory[name]) == 0) }
    return directory
  }

  @Test("are opened beneath their directory")
  func areOpened() throws {
    let directory = try directory()
    let root = try Descriptor.open(directory["root"], [.readOnly, .directory])
    let file = try root.open(beneath: UntrustedBytes(text: "inner/file").relativePath(), .readOnly)
    #expect(try file.readToEnd() == Array("inside".utf8))
    let isCloseOnExec = fcntl(file.number, F_GETFD) & FD_CLOEXEC != 0
    #expect(isCloseOnExec)
    let made = try root.open(beneath: "inner/new", [.writeOnly, .create, .exclusive], mode: 0o640)
    try made.writeAll("x")
    let mask = umask(0)
    umask(mask)
    #expect(directory.facts("root/inner/new").map { $0.st_mode & 0o777 } == 0o640 & ~mask)
    let inner = try root.open(beneath: "inner", [.readOnly, .directory])
    #expect(try inner.open(beneath: "file", .readOnly).readToEnd() == Array("inside".utf8))
  }

  @Test(
    "are not opened through a link or out of the directory",
    arguments: [
      ("out", ELOOP), ("absolute", ELOOP), ("up/secret", ELOOP), ("within", ELOOP), ("self/etc/passwd", ELOOP),
      ("loop", ELOOP), ("../secret", EXDEV), ("inner/../../secret", EXDEV), ("/etc/passwd", EXDEV), ("none", ENOENT),
      ("inner/file/x", ENOTDIR), ("", ENOENT), ("inner/file\0x", EINVAL),
    ])
  func areNotOpened(path: String, expected: CInt) throws {
    let directory = try directory()
    let root = try Descriptor.open(directory["root"], [.readOnly, .directory])
    let found = failure { () throws(SystemCallError) in try root.open(beneath: path, .readOnly) }
    #expect(found == SystemCallError("openat2", on: escaped(path.utf8), code: ErrorCode(rawValue: expected)))
    // Nor is anything made there.
    if expected == ELOOP {
      let made = failure { () throws(SystemCallError) in
        try root.open(beneath: path, [.writeOnly, .create], mode: 0o600)
      }
      #expect(made?.code.rawValue == ELOOP)
    }
  }

  @Test("leave no descriptor open")
  func leaveNoDescriptor() throws { try ProbeProgram.check("untrusted-descriptors") }

  @Test("are led astray where the directory is opened by text alone")
  func areLedAstrayByText() throws {
    // What the kernel's refusal is for: the text is right, the link is not.
    let directory = try directory()
    let path = try UntrustedBytes(text: "out").path(below: directory["root"])
    #expect(try Descriptor.open(path, .readOnly).readToEnd() == Array("secret".utf8))
  }

  @Test("are the names of Unix sockets as their owners chose them")
  func areUnixNames() {
    #expect(SocketAddress.unixPath("/run/s\n").unixName == UntrustedBytes(text: "/run/s\n"))
    #expect(SocketAddress.unixAbstract([0, 255]).unixName == UntrustedBytes([64, 0, 255]))
    #expect(SocketAddress.unixUnnamed.unixName == nil)
    #expect(SocketAddress.ipv4(IPv4Address(rawValue: 1), port: 1).unixName == nil)
  }
}
