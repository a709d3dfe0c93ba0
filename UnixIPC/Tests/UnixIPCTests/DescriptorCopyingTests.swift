import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DescriptorCopyingTests {
  /// What a stream of bytes can come from and go to.
  enum Kind: CaseIterable { case file, appended, pipe, nonBlockingPipe, socket, nonBlockingSocket }

  private static let text = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 251) }

  /// A pair of descriptors of one kind: what is written to the second can be read from the first.
  private struct Ends: ~Copyable {
    var readEnd: Descriptor
    var writeEnd: Descriptor

    static func make(_ kind: Kind, in directory: TemporaryDirectory) throws -> Ends {
      switch kind {
      case .file, .appended:
        let path = directory["\(kind)\(UInt32.random(in: 0...UInt32.max))"]
        let writeEnd = try Descriptor.open(path, [.writeOnly, .create, kind == .appended ? .append : .truncate])
        return Ends(readEnd: try Descriptor.open(path, .readOnly), writeEnd: writeEnd)
      case .pipe, .nonBlockingPipe:
        let ends = try PipeEnds()
        if kind == .nonBlockingPipe {
          try ends.readEnd.setNonBlocking(true)
          try ends.writeEnd.setNonBlocking(true)
        }
        return Ends(readEnd: ends.readEnd, writeEnd: ends.writeEnd)
      case .socket, .nonBlockingSocket:
        let pair = try SocketPair(kind: .stream)
        if kind == .nonBlockingSocket {
          try pair.first.setNonBlocking(true)
          try pair.second.setNonBlocking(true)
        }
        return Ends(readEnd: pair.first, writeEnd: pair.second)
      }
    }
  }

  @Test("brings everything from any kind of file to any other", arguments: Kind.allCases, Kind.allCases)
  func copiesAll(from: Kind, to: Kind) throws {
    for isBounded in [false, true] {
      let directory = try TemporaryDirectory()
      let source = try Ends.make(from, in: directory)
      let sink = try Ends.make(to, in: directory)
      let reading = source.readEnd
      let sourceNumber = source.writeEnd.release()
      let sinkReading = sink.readEnd.release()
      let writing = sink.writeEnd
      let writer = Background {
        let end = Descriptor(owning: sourceNumber)
        Self.text.withUnsafeBytes { try? end.writeAll($0, until: Deadline(after: .seconds(20))) }
      }
      // A file has no writer that is waited for.
      if from == .file || from == .appended { writer.join() }
      let isFile = to == .file || to == .appended
      let received = Received()
      let reader = Background {
        let end = Descriptor(owning: sinkReading)
        if isFile { return received.keep(end.release()) }
        received.set((try? end.readToEnd()) ?? [])
      }
      if isFile { reader.join() }
      let count = try reading.copyAll(to: writing, until: isBounded ? Deadline(after: .seconds(20)) : .never)
      #expect(count == Self.text.count)
      _ = consume writing
      if !isFile { reader.join() }
      if from != .file, from != .appended { writer.join() }
      let bytes = try received.bytes()
      #expect(bytes == Self.text, "\(bytes.count) bytes")
    }
  }

  /// What the other thread has read, or the file that it is in.
  private final class Received: @unchecked Sendable {
    private var read: [UInt8] = []
    private var number: CInt?

    func set(_ bytes: [UInt8]) { read = bytes }
    func keep(_ number: CInt) { self.number = number }
    func bytes() throws -> [UInt8] { try number.map { try Descriptor(owning: $0).readToEnd() } ?? read }
  }

  @Test("reads files that the kernel does not move", arguments: ["/proc/self/status", "/dev/null"])
  func readsOdd(path: String) throws {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let count = try Descriptor.open(path, .readOnly).copyAll(to: writing)
    #expect((count > 0) == path.hasPrefix("/proc"))
    _ = consume writing
    let bytes = try reading.readToEnd()
    #expect(bytes.count == count)
  }

  @Test("ends at a deadline and when it is cancelled, whichever side is waited for", arguments: [Kind.pipe, .socket])
  func ends(kind: Kind) throws {
    let directory = try TemporaryDirectory()
    let empty = try Ends.make(kind, in: directory)
    let full = try Ends.make(kind, in: directory)
    let zeroes = try Descriptor.open("/dev/zero", .readOnly)
    let cancellation = try Cancellation()
    cancellation.cancel()
    func soon() -> Deadline { Deadline(after: .milliseconds(20)) }
    #expect(
      failure { () throws(SystemCallError) in try empty.readEnd.copyAll(to: full.writeEnd, until: soon()) }?.code
        == .timedOut)
    #expect(
      failure { () throws(SystemCallError) in try empty.readEnd.copyAll(to: full.writeEnd, cancelledBy: cancellation) }?
        .code
        == .canceled)
    #expect(
      failure { () throws(SystemCallError) in try zeroes.copyAll(to: full.writeEnd, until: soon()) }?.code == .timedOut)
    #expect(
      failure { () throws(SystemCallError) in try zeroes.copyAll(to: full.writeEnd, cancelledBy: cancellation) }?.code
        == .canceled)
    // Two busy ends never wait.
    let null = try Descriptor.open("/dev/null", .writeOnly)
    #expect(failure { () throws(SystemCallError) in try zeroes.copyAll(to: null, until: soon()) }?.code == .timedOut)
  }

  @Test("has an error for a sink without a reader, and no signal", arguments: [Kind.pipe, .socket])
  func reportsNoReader(kind: Kind) throws {
    let directory = try TemporaryDirectory()
    let sink = try Ends.make(kind, in: directory)
    let writing = sink.writeEnd
    _ = consume sink.readEnd
    try directory.write("text".utf8, to: "text")
    let file = try Descriptor.open(directory["text"], .readOnly)
    #expect(failure { () throws(SystemCallError) in try file.copyAll(to: writing) }?.code == .brokenPipe)
  }

  @Test("begins with what a reader has read ahead")
  func copiesWhatWaits() throws {
    let source = try PipeEnds()
    let sink = try PipeEnds()
    let writing = source.writeEnd
    try writing.writeAll("line\nand the rest")
    _ = consume writing
    var reader = BufferedReader(source.readEnd)
    _ = try reader.readLine()
    let count = try reader.copyAll(to: sink.writeEnd)
    #expect(count == 12)
    let copied = try sink.readEnd.readPrefix(12)
    #expect(String(decoding: copied, as: UTF8.self) == "and the rest")
    let rest = try reader.copyAll(to: sink.writeEnd)
    #expect(rest == 0)
  }
}
