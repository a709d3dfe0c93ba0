import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct FileKindTests {
  @Test("tells what is at a path, as perl does")
  func tellsPaths() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "file")
    try directory.makeDirectory("directory")
    try #require(mkfifo(directory["fifo"], 0o600) == 0)
    let socket = try ListeningSocket(.unixPath(directory["socket"]), backlog: 1)
    try #require(symlink("socket", directory["link"]) == 0)
    let expected: [(String, FileKind, String)] = [
      ("file", .regular, "f"), ("directory", .directory, "d"), ("fifo", .fifo, "p"), ("socket", .socket, "S"),
      ("link", .link, "lS"),
    ]
    for (name, kind, letters) in expected {
      #expect(try FileKind(at: directory[name]) == kind)
      let script = "print grep { eval qq(-$_ \\$ARGV[0]) } qw(f d l p S c b)"
      #expect(try Counterpart("perl", ["-e", script, directory[name]]).rest() == letters)
    }
    #expect(try FileKind(at: directory["link"], followingLinks: true) == .socket)
    #expect(try FileKind(at: "/dev/null") == .characterDevice)
    #expect(socket.descriptor.number >= 0)
  }

  @Test("says that nothing is there")
  func nothingIsThere() throws {
    let directory = try TemporaryDirectory()
    try #require(symlink("nothing", directory["link"]) == 0)
    #expect(throws: SystemCallError("lstat", on: directory["x"], code: .noSuchFileOrDirectory)) {
      _ = try FileKind(at: directory["x"])
    }
    #expect(try FileKind(at: directory["link"]) == .link)
    #expect(throws: SystemCallError("stat", on: directory["link"], code: .noSuchFileOrDirectory)) {
      _ = try FileKind(at: directory["link"], followingLinks: true)
    }
  }

  @Test("tells what a descriptor is")
  func tellsDescriptors() throws {
    let pipe = try PipeEnds()
    let pair = try SocketPair(kind: .stream)
    let directory = try Descriptor.open("/", .readOnly)
    let poller = try Poller()
    #expect(try FileKind(of: pipe.readEnd) == .fifo)
    #expect(try FileKind(of: pair.first) == .socket)
    #expect(try FileKind(of: directory) == .directory)
    #expect(try FileKind(of: poller.descriptor) == .other)
  }
}
