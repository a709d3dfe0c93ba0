import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct FileReplacementTests {
  private func contents(_ path: String) throws -> [UInt8] {
    try Descriptor.open(path, .readOnly).readPrefix(1000)
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
    #expect(throws: SystemCallError.self) { try FileKind(at: directory["file"]) }
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
    #expect(throws: SystemCallError("open", on: directory["dangling"], code: .noSuchFileOrDirectory)) {
      _ = try FileReplacement(of: directory["dangling"])
    }
  }

  @Test("is refused for what is no regular file")
  func refusesOthers() throws {
    let directory = try TemporaryDirectory()
    try #require(mkfifo(directory["fifo"], 0o600) == 0)
    for path in [directory["fifo"], directory["."], "/dev/null"] {
      #expect(throws: SystemCallError("open", on: path, code: .invalidArgument)) { _ = try FileReplacement(of: path) }
    }
    let missing = SystemCallError("open", on: directory["none/file"], code: .noSuchFileOrDirectory)
    #expect(throws: missing) { _ = try FileReplacement(of: directory["none/file"]) }
  }

  /// Of file systems that know no files without a name.
  @Test("with a name from the beginning is the same, and leaves nothing either", arguments: [true, false])
  func isNamedImmediately(isCommitted: Bool) throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "file")
    chmod(directory["file"], 0o664)
    do {
      let file = try FileReplacement(of: UnixPath(directory["file"]), mode: 0o666, isNamedImmediately: true)
      try file.contents.writeAll("new")
      let names = try names(in: directory)
      #expect(names.count == 2 && names.contains { $0.hasPrefix(".file.") })
      #expect(try contents(directory["file"]) == [1])
      if isCommitted { try file.commit() }
    }
    #expect(try names(in: directory) == ["file"])
    #expect(try contents(directory["file"]) == (isCommitted ? Array("new".utf8) : [1]))
    #expect(mode(directory["file"]) == 0o664)
  }

  private func names(in directory: TemporaryDirectory) throws -> [String] {
    let stream = try #require(opendir(directory.path))
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names.filter { $0 != "." && $0 != ".." }
  }

  @Test(
    "takes every name that the file system takes",
    arguments: [
      String(repeating: "é", count: 127), String(repeating: "x", count: 255), String(repeating: "👩‍👩‍👧", count: 14),
      "\u{301}e",
    ], [true, false])
  func takesLongNames(name: String, isNamedImmediately: Bool) throws {
    let directory = try TemporaryDirectory()
    for text in ["one", "two"] {
      let file = try FileReplacement(of: UnixPath(directory[name]), mode: 0o666, isNamedImmediately: isNamedImmediately)
      try file.contents.writeAll(text)
      try file.commit()
      #expect(try contents(directory[name]) == Array(text.utf8))
    }
    #expect(try names(in: directory) == [name])
  }

  @Test("has no set-id bits")
  func hasNoSetIDBits() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "file")
    chmod(directory["file"], 0o6755)
    try FileReplacement(of: directory["file"]).commit()
    #expect(mode(directory["file"]) == 0o755)
  }

  @Test(
    "goes through no link of a stranger's in a sticky directory", .enabled(if: isRoot, "needs root to give links away"))
  func followsNoTrap() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "file")
    try directory.makeDirectory("tmp", mode: 0o1777)
    try directory.makeDirectory("shared", mode: 0o777)
    for place in ["tmp/trap", "shared/link"] {
      symlink("../file", directory[place])
      lchown(directory[place], 65534, 65534)
    }
    symlink("file", directory["link"])
    symlink("tmp/trap", directory["indirect"])
    symlink("../file", directory["tmp/own"])
    for path in [directory["tmp/trap"], directory["indirect"]] {
      #expect(throws: SystemCallError("open", on: path, code: .permissionDenied)) { _ = try FileReplacement(of: path) }
    }
    for path in [directory["tmp/own"], directory["shared/link"], directory["link"]] {
      _ = try FileReplacement(of: path)
    }
    // Its owner could lay links to where he likes anyway.
    chown(directory["tmp"], 65534, 65534)
    _ = try FileReplacement(of: directory["tmp/trap"])
    symlink("loop", directory["loop"])
    #expect(throws: SystemCallError("open", on: directory["loop"], code: ErrorCode.tooManySymbolicLinkLevels)) {
      _ = try FileReplacement(of: directory["loop"])
    }
  }

  @Test("replaces the file that a link leads to, also where the name is no text")
  func followsANameOfBytes() throws {
    let directory = try TemporaryDirectory()
    let target: UnixPath = "\(directory.path)/na\(UnixPath(bytes: [0xe9]))me"
    try target.withCPath("symlink") { (target) throws(SystemCallError) in
      _ = try check("symlink", path: directory["link"]) { symlink(target, $0) }
    }
    try Descriptor.open(target, [.create, .writeOnly]).writeAll("old")
    let file = try FileReplacement(of: directory["link"])
    try file.contents.writeAll("new")
    try file.commit()
    #expect(try Descriptor.open(target, .readOnly).readToEnd() == Array("new".utf8))
    #expect(try FileKind(at: directory["link"]) == .link)
  }
}
