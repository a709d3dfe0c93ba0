import Glibc
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite struct FortuneFilesTests {
  private func found(_ directory: TemporaryDirectory, offensive: Bool = false) throws -> [String] {
    try FortuneFiles(includesOffensive: offensive).find(directory.path).map { file in
      let name = file.path.dropFirst(directory.path.count + 1)
      #expect(file.indexPath == nil || file.indexPath == file.path + ".dat")
      return file.indexPath == nil ? String(name) : "\(name)+"
    }
  }

  private func directory(_ names: String...) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for name in names { try directory.write("text\n".utf8, to: name) }
    return directory
  }

  @Test("are those with an index, where any has one")
  func areIndexed() throws {
    #expect(try found(directory("b", "b.dat", "a", "a.dat", "plain", "a.u8", "orphan.dat")) == ["a+", "b+"])
  }

  @Test("are all plain files that may be databases, where none has an index")
  func areAll() throws {
    let directory = try directory(
      "a", "b.txt", ".hidden", "x.u8", "x.pos", "x.c", "x.h", "x.p", "x.i", "x.f", "x.pas", "x.ftn", "x.ins.c",
      "x.sml")
    try directory.makeDirectory("folder")
    try #require(mkfifo(directory["fifo"], 0o644) == 0)
    try #require(symlink("a", directory["link"]) == 0)
    #expect(try found(directory) == ["a", "b.txt", "link"])
  }

  @Test("are offensive ones only where they are asked for")
  func areOffensive() throws {
    let directory = try directory("a", "a.dat", "b-o", "b-o.dat")
    try directory.makeDirectory("off")
    for name in ["off/c", "off/c.dat"] { try directory.write("text\n".utf8, to: name) }
    #expect(try found(directory) == ["a+"])
    #expect(try found(directory, offensive: true) == ["a+", "b-o+", "off/c+"])
    // What is named is taken.
    let finder = FortuneFiles(includesOffensive: false)
    #expect(try finder.find(directory["off"]).map(\.path) == [directory["off/c"]])
    #expect(try finder.find(directory["b-o"]).map(\.path) == [directory["b-o"]])
  }

  @Test("are the file that is named, with its index where it has one")
  func areTheFileNamed() throws {
    let directory = try directory("a", "b", "b.dat")
    let finder = FortuneFiles(includesOffensive: false)
    #expect(try finder.find(directory["a"]) == [FortuneFile(path: directory["a"], indexPath: nil)])
    #expect(try finder.find(directory["b"]) == [FortuneFile(path: directory["b"], indexPath: directory["b.dat"])])
  }

  @Test("say which path is missing")
  func sayWhichIsMissing() {
    #expect(throws: SystemCallError("stat", on: "/nonexistent/fortunes", code: .noSuchFileOrDirectory)) {
      try FortuneFiles(includesOffensive: false).find("/nonexistent/fortunes")
    }
  }
}
