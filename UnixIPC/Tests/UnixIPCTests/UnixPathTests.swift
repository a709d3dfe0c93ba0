import Glibc
import Testing

@_spi(Begat) @testable import UnixCore

@Suite struct UnixPathTests {
  @Test func keepsBytesThatAreNoText() {
    let path = UnixPath(bytes: Array("/tmp/bad".utf8) + [0xff])
    #expect(path.text == nil)
    #expect(path.bytes.last == 0xff)
    #expect(("\(path)/\("a")\(7)" as UnixPath).bytes == path.bytes + Array("/a7".utf8))
  }

  @Test(
    "shows one line",
    arguments: [
      ("/run/s", "/run/s"), ("/größe", "/größe"), ("a\nb", #"a\x0ab"#), (#"a\b"#, #"a\\b"#), ("a\0", #"a\x00"#),
    ] as [(UnixPath, String)])
  func isShown(path: UnixPath, text: String) { #expect(path.description == text) }

  @Test func showsWhatIsNoText() { #expect(UnixPath(bytes: [0x2f, 0xff]).description == #"/\xff"#) }

  @Test(
    "is cut at its last slash, whatever follows it",
    arguments: [
      ("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("a/", "a", ""), ("/", "/", ""),
      ("/a/\u{301}b", "/a", "\u{301}b"),
    ] as [(UnixPath, UnixPath, UnixPath)])
  func isCut(path: UnixPath, parent: UnixPath, name: UnixPath) {
    #expect(path.parent == parent)
    #expect(path.lastName == name)
  }

  @Test(
    "has a beginning of whole characters",
    arguments: [("abc", 2, "ab"), ("aä", 2, "a"), ("a😀", 4, "a"), ("a😀", 5, "a😀"), ("", 3, "")]
      as [(UnixPath, Int, UnixPath)])
  func begins(path: UnixPath, maximum: Int, beginning: UnixPath) {
    #expect(path.beginning(upTo: maximum) == beginning)
  }

  @Test func hasABeginningOfBytesThatAreNoText() {
    let name = UnixPath(bytes: [UInt8](repeating: 0x80, count: 300))
    #expect(name.beginning(upTo: 200).bytes.count == 200)
    #expect(name.temporaryName.bytes.count <= 255)
  }

  @Test func reachesCOnlyWithoutANUL() throws {
    let refused = failure { () throws(SystemCallError) in
      try check("unlink", path: "/tmp/a\0b") { _ in
        Issue.record("C was called")
        return 0 as CInt
      }
    }
    #expect(refused == SystemCallError("unlink", on: #"/tmp/a\x00b"#, code: .invalidArgument))
    let count = try ("/tmp/a" as UnixPath).withCPath("strlen") { (path) throws(SystemCallError) in strlen(path) }
    #expect(count == 6)
    #expect(try "".withCText("strlen") { (text) throws(SystemCallError) in strlen(text) } == 0)
  }
}
