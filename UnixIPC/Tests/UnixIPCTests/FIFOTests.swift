import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct FIFOTests {
  private typealias Refusal = FIFO.OpenError
  private var soon: Deadline { Deadline(after: .milliseconds(20)) }
  private var late: Deadline { Deadline(after: .seconds(20)) }

  @Test("has the mode that is asked for, whatever the umask", arguments: [0o600, 0o666, 0o622, 0o777, 0] as [mode_t])
  func hasItsMode(mode: mode_t) throws {
    let directory = try TemporaryDirectory()
    let fifo = try FIFO.make(at: directory["f"], mode: mode)
    let facts = try #require(directory.facts("f"))
    #expect(facts.st_mode == S_IFIFO | mode)
    let isInPlace = fifo.isInPlace
    #expect(isInPlace)
  }

  @Test(
    "leaves everything else alone", arguments: ["file", "link", "dangling", "directory", "socket", "link to a FIFO"])
  func leavesOtherFiles(name: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write("kept".utf8, to: "file")
    try #require(symlink("file", directory["link"]) == 0 && symlink("nowhere", directory["dangling"]) == 0)
    try directory.makeDirectory("directory")
    _ = try Descriptor.bound(to: .unixPath(directory["socket"]), kind: .stream, options: BindOptions())
    try #require(mkfifo(directory["fifo"], 0o600) == 0 && symlink("fifo", directory["link to a FIFO"]) == 0)
    let before = try #require(directory.facts(name))
    let path = directory[name]
    #expect(failure { () throws(Refusal) in try FIFO.makeOrAdopt(at: path) } == .notAFIFO(UnixPath(path)))
    #expect(failure { () throws(Refusal) in try FIFOServer(at: path) } == .notAFIFO(UnixPath(path)))
    let after = try #require(directory.facts(name))
    #expect(after.st_ino == before.st_ino && after.st_mode == before.st_mode && after.st_size == before.st_size)
    #expect(directory.facts("nowhere") == nil)
  }

  @Test("takes over its user's own, and gives it the mode")
  func adopts() throws {
    let directory = try TemporaryDirectory()
    let path = directory["f"]
    #expect(
      failure { () throws(Refusal) in try FIFO.adopt(at: path) }
        == .call(SystemCallError("open", on: path, code: .noSuchFileOrDirectory))
    )
    try #require(mkfifo(path, 0o644) == 0)
    let inode = directory.facts("f")?.st_ino
    #expect(
      failure { () throws(Refusal) in try FIFO.make(at: path) }
        == .call(SystemCallError("mkfifo", on: path, code: .fileExists)))
    _ = try FIFO.makeOrAdopt(at: path, mode: 0o620)
    #expect(directory.facts("f")?.st_ino == inode && directory.facts("f")?.st_mode == S_IFIFO | 0o620)
  }

  @Test("is named in every error as the caller has named it", arguments: ["none/f", "file/f"])
  func isNamedAsAsked(name: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write([], to: "file")
    let path = directory[name]
    let code: ErrorCode = name == "none/f" ? .noSuchFileOrDirectory : .notDirectory
    let expected = Refusal.call(SystemCallError("mkfifo", on: path, code: code))
    #expect(failure { () throws(Refusal) in try FIFO.make(at: path) } == expected)
    #expect(failure { () throws(Refusal) in try FIFO.makeOrAdopt(at: path) } == expected)
    #expect(failure { () throws(Refusal) in try FIFOServer(at: path) } == expected)
    #expect(expected.code == code && Refusal.notAFIFO("f").code == nil)
    let adopted = failure { () throws(Refusal) in try FIFO.adopt(at: path) }
    #expect(adopted == .call(SystemCallError("open", on: path, code: code)))
  }

  @Test("is named in the error of a server that may not lock it", .enabled(if: !isRoot, "root may write anywhere"))
  func isNamedWhereItCannotBeLocked() throws {
    let directory = try TemporaryDirectory(mode: 0o500)
    let path = directory["f"]
    #expect(
      failure { () throws(Refusal) in try FIFOServer(at: path) }
        == .call(SystemCallError("mkfifo", on: path, code: .permissionDenied)))
  }

  @Test("of another user is refused", .enabled(if: isRoot, "needs root to give a file away"))
  func refusesForeignOnes() throws {
    let directory = try TemporaryDirectory()
    let path = directory["f"]
    try #require(mkfifo(path, 0o666) == 0 && chown(path, 65534, 65534) == 0)
    let refused = failure { () throws(Refusal) in try FIFO.makeOrAdopt(at: path) }
    #expect(refused == .foreign(UnixPath(path), user: 65534))
    #expect(refused?.description.contains("run as that user or choose another path") == true)
  }

  @Test(
    "is not made where anybody may replace it",
    arguments: [(0o777, .writableByAll), (0o775, .writableByGroup), (0o1777, nil), (0o755, nil)]
      as [(mode_t, UnsafeDirectory.Reason?)])
  func refusesAnUnsafeDirectory(mode: mode_t, reason: UnsafeDirectory.Reason?) throws {
    let directory = try TemporaryDirectory(mode: mode)
    let path = directory["f"]
    let refusal = reason.map {
      Refusal.unsafeDirectory(UnixPath(path), UnsafeDirectory(path: UnixPath(directory.path), reason: $0))
    }
    #expect(failure { () throws(Refusal) in try FIFO.make(at: path) } == refusal)
    #expect((directory.facts("f") != nil) == (reason == nil))
  }

  @Test("removes itself, and nothing that was put in its place")
  func removesItself() throws {
    let directory = try TemporaryDirectory()
    let fifo = try FIFO.make(at: directory["f"])
    try #require(unlink(directory["f"]) == 0)
    try directory.write("kept".utf8, to: "f")
    let isRemoved = fifo.removeIfOurs()
    #expect(!isRemoved && directory.facts("f")?.st_size == 4)
    try #require(unlink(directory["f"]) == 0 && mkfifo(directory["f"], 0o600) == 0)
    let isOthersRemoved = fifo.removeIfOurs()
    #expect(!isOthersRemoved && directory.facts("f") != nil)
    let refused = failure { () throws(Refusal) in try fifo.openForWriting(until: soon) }
    #expect(refused == .replaced(directory["f"]))
    let second = try FIFO.adopt(at: directory["f"])
    let isSecondRemoved = second.removeIfOurs()
    #expect(isSecondRemoved && directory.facts("f") == nil)
  }

  @Test("waits for a reader or a writer no longer than it may")
  func waits() throws {
    let directory = try TemporaryDirectory()
    let fifo = try FIFO.make(at: directory["f"])
    let timedOut = Refusal.call(SystemCallError("open", on: directory["f"], code: .timedOut))
    let writing = failure { () throws(Refusal) in try fifo.openForWriting(until: soon) }
    #expect(writing == timedOut)
    let reading = failure { () throws(Refusal) in try fifo.openForReading(until: soon) }
    #expect(reading == timedOut)
  }

  @Test("is read by cat, Perl and Python, and wakes us when they come", arguments: ["cat", "perl", "python"])
  func isRead(name: String) throws {
    let directory = try TemporaryDirectory()
    let fifo = try FIFO.make(at: directory["f"])
    let tools = [
      "cat": Tool("/bin/cat", fifo.path.description),
      "perl": .perl("open(F, '<', $ARGV[0]) or die; print <F>", fifo.path.description),
      "python": Tool(
        "/usr/bin/env", "python3", "-c", "import sys; print(open(sys.argv[1]).read(), end='')", fifo.path.description),
    ]
    let tool = try #require(tools[name])
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let child = try tool.start(output: writing)
    _ = consume writing
    let writer = try fifo.openForWriting(until: late)
    try writer.writeAll("two\nlines\n")
    _ = consume writer
    #expect(String(decoding: try reading.readToEnd(), as: UTF8.self) == "two\nlines\n")
    #expect(child.status(until: late) == .exited(code: 0))
  }

  @Test("brings us what Perl writes")
  func isWritten() throws {
    let directory = try TemporaryDirectory()
    let fifo = try FIFO.make(at: directory["f"])
    let ends = try PipeEnds()
    let writing = ends.writeEnd
    let child = try Tool.perl("open(F, '>', $ARGV[0]) or die; print F 'from Perl'", fifo.path.description).start(
      output: writing)
    let reader = try fifo.openForReading(until: late)
    let isBlocking = reader.isBlocking
    #expect(isBlocking)
    #expect(String(decoding: try reader.readToEnd(), as: UTF8.self) == "from Perl")
    #expect(child.status(until: late) == .exited(code: 0))
  }

  @Test("is never mistaken for a file or a link that is put in its place, 100 times")
  func isNotMistaken() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-swaps", directory.path, "100")
  }

  @Test("and all of its family leave no descriptor and no file open")
  func leavesNoDescriptor() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-descriptors", directory.path)
  }

  @Test("without a reader is an error to the writer, and no signal")
  func isNoSignal() throws { try ProbeProgram.check("fifo-signal") }
}
