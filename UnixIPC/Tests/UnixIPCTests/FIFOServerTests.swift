import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct FIFOServerTests {
  @Test("gives cat, Perl and Python a fresh text each")
  func servesOthers() throws {
    let directory = try TemporaryDirectory()
    let path = directory[".signature"]
    var server = try FIFOServer(at: path)
    let tools = [
      Tool("/bin/cat", path), .perl("open(F, '<', $ARGV[0]) or die; print <F>", path),
      Tool("/usr/bin/env", "python3", "-c", "import sys; print(open(sys.argv[1]).read(), end='')", path),
    ]
    for (number, tool) in tools.enumerated() {
      let ends = try PipeEnds()
      let reading = ends.readEnd
      let writing = ends.writeEnd
      let child = try tool.start(output: writing)
      _ = consume writing
      let served = try server.serve(until: Deadline(after: .seconds(20))) { Array("text \(number)\n".utf8) }
      #expect(served == 1)
      #expect(String(decoding: try reading.readToEnd(), as: UTF8.self) == "text \(number)\n")
      #expect(child.status(until: Deadline(after: .seconds(20))) == .exited(code: 0))
    }
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let child = try tools[0].start(output: writing)
    _ = consume writing
    let served = try server.serve(until: Deadline(after: .seconds(20))) { "a text\n" }
    #expect(served == 1)
    #expect(String(decoding: try reading.readToEnd(), as: UTF8.self) == "a text\n")
    #expect(child.status(until: Deadline(after: .seconds(20))) == .exited(code: 0))
    let idle = try server.serve(until: Deadline(after: .milliseconds(20))) { [] }
    #expect(idle == 0)
  }

  @Test("gives a text that is longer than a pipe whole")
  func servesLongTexts() throws {
    let directory = try TemporaryDirectory()
    let path = directory["f"]
    var server = try FIFOServer(at: path)
    let text = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let child = try Tool("/bin/sh", "-c", "cksum < \"$0\"", path).start(output: writing)
    _ = consume writing
    let served = try server.serve(until: Deadline(after: .seconds(20))) { text }
    #expect(served == 1)
    try directory.write(text, to: "copy")
    let sum = try Tool("/bin/sh", "-c", "cksum < \"$0\"", directory["copy"]).run()
    #expect(String(decoding: try reading.readToEnd(), as: UTF8.self) == sum)
    #expect(child.status(until: Deadline(after: .seconds(20))) == .exited(code: 0))
  }

  @Test("gives 200 readers that come alone exactly one text each")
  func servesSingles() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-singles", directory.path, "200")
  }

  @Test("gives readers that come two at once whole texts only, and no text twice")
  func servesPairs() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-pairs", directory.path, "100")
  }

  @Test("gives a text to one that comes to read late, and no two to the other")
  func waitsForReaders() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-busy", directory.path)
  }

  @Test("gives one text to two processes that share an opening")
  func countsOpeningsOnce() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-held", directory.path)
  }

  @Test("gives a text to one that opens a FIFO that is no longer at the path")
  func servesLateReaders() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-late", directory.path)
  }

  @Test("survives readers that leave early")
  func survivesEarlyLeavers() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-early", directory.path)
  }

  @Test("keeps a second one out, and takes a killed one's place, with those who wait there")
  func isAlone() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("fifo-killed", directory.path)
  }

  @Test("makes its FIFO again when it was removed, and leaves a file alone that stands there instead")
  func noticesReplacement() throws {
    let directory = try TemporaryDirectory()
    var server = try FIFOServer(at: directory["f"])
    try #require(unlink(directory["f"]) == 0)
    let served = try server.serve(until: Deadline(after: .seconds(20))) { [] }
    #expect(served == 0 && directory.facts("f").map { $0.st_mode & S_IFMT } == S_IFIFO)
    try #require(unlink(directory["f"]) == 0)
    try directory.write("kept".utf8, to: "f")
    #expect(throws: FIFO.OpenError.replaced(directory["f"])) { try server.serve { [] } }
    _ = consume server
    #expect(directory.facts("f")?.st_size == 4)
    #expect(directory.facts(".f.lock") == nil)
  }

  @Test(
    "takes names of many bytes", arguments: [String(repeating: "é", count: 127), String(repeating: "x", count: 255)])
  func takesLongNames(name: String) throws {
    let directory = try TemporaryDirectory()
    let server = try FIFOServer(at: directory[name])
    #expect(directory.facts(name).map { $0.st_mode & S_IFMT } == S_IFIFO)
    #expect(throws: FIFO.OpenError.inUse(UnixPath(directory[name]))) { _ = try FIFOServer(at: directory[name]) }
    _ = consume server
    #expect(directory.facts(name) == nil)
    #expect(rmdir(directory.path) == 0)
  }

  @Test("hears immediately what is moved there from elsewhere, and an interruption")
  func isInterrupted() throws {
    let directory = try TemporaryDirectory()
    let other = try TemporaryDirectory()
    var server = try FIFOServer(at: directory["f"])
    let ends = try PipeEnds()
    try ends.writeEnd.writeAll("i")
    let served = try server.serve(cancelledBy: try Cancellation(whenReadable: ends.readEnd)) { [] }
    #expect(served == 0)
    try other.write("kept".utf8, to: "new")
    let null = try Descriptor.open("/dev/null", .writeOnly)
    let mover = try Tool("/bin/mv", other["new"], directory["f"]).start(output: null)
    #expect(throws: FIFO.OpenError.replaced(directory["f"])) {
      try server.serve(until: Deadline(after: .seconds(20))) { [] }
    }
    _ = try mover.waitForExit()
  }
}
