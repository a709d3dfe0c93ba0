import Glibc
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite(.timeLimit(.minutes(30))) struct PumpTests {
  @Test("carries bytes both ways at once, then ends with the peer")
  func carriesBothWays() throws {
    let pump = try RunningPump()
    try pump.write("question", to: .input)
    #expect(try pump.read(8, from: .connection) == "question")
    try pump.write("answer", to: .connection)
    #expect(try pump.read(6, from: .output) == "answer")
    pump.close(.connection)
    #expect(try pump.read(1, from: .output) == "")
    #expect(pump.failure() == nil)
  }

  @Test("passes the end of the input on and goes on receiving")
  func passesTheEndOn() throws {
    let pump = try RunningPump()
    try pump.write("last", to: .input)
    pump.close(.input)
    #expect(try pump.read(100, from: .connection) == "last")
    try pump.write("late answer", to: .connection)
    #expect(try pump.read(11, from: .output) == "late answer")
    pump.close(.connection)
    #expect(pump.failure() == nil)
  }

  @Test("passes the peer's end on and goes on sending")
  func passesThePeersEndOn() throws {
    let pump = try RunningPump(patience: nil)
    pump.endSending(.connection)
    #expect(try pump.read(1, from: .output) == "")
    try pump.write("late question", to: .input)
    pump.close(.input)
    #expect(try pump.read(100, from: .connection) == "late question")
    #expect(pump.failure() == nil)
  }

  @Test("ends where the input stays silent after the peer's end")
  func endsInSilence() throws {
    let pump = try RunningPump(patience: .milliseconds(20))
    pump.endSending(.connection)
    #expect(pump.failure() == nil)
  }

  @Test("ends with a connection that is gone, however long the input may be silent")
  func endsWithTheConnection() throws {
    let pump = try RunningPump(patience: nil)
    pump.close(.connection)
    #expect(pump.failure() == nil)
  }

  @Test("sends lines with CR LF where asked to")
  func sendsCRLF() throws {
    let pump = try RunningPump(changesLineEnds: true)
    try pump.write("one\ntwo\r\n\nthree\r", to: .input)
    #expect(try pump.read(18, from: .connection) == "one\r\ntwo\r\n\r\nthree\r")
    // The CR of the last piece belongs to it.
    try pump.write("\n", to: .input)
    #expect(try pump.read(1, from: .connection) == "\n")
    try pump.write("\n", to: .connection)
    #expect(try pump.read(1, from: .output) == "\n")
    pump.close(.connection)
    #expect(pump.failure() == nil)
  }

  @Test("delivers what the peer sent before it went, in whole")
  func deliversAll() throws {
    let pump = try RunningPump()
    let text = String(repeating: "0123456789abcdef", count: 40_000)
    let writer = Background {
      try? pump.write(text, to: .connection)
      pump.close(.connection)
    }
    #expect(try pump.read(.max, from: .output) == text)
    writer.join()
    #expect(pump.failure() == nil)
  }

  @Test("leaves its input alone where it only receives")
  func leavesTheInputAlone() throws {
    let pump = try RunningPump(receivesOnly: true)
    try? pump.write("kept", to: .input)
    pump.close(.input)
    try pump.write("answer", to: .connection)
    #expect(try pump.read(6, from: .output) == "answer")
    #expect(!pump.isReadable(.connection))
    pump.close(.connection)
    #expect(pump.failure() == nil)
  }

  @Test("ends when nobody takes its output any more")
  func endsWithItsOutput() throws {
    let pump = try RunningPump()
    pump.close(.output)
    let failure = pump.failure()
    #expect(failure?.side == .output && failure?.code == .brokenPipe)
  }

  @Test("says that the connection broke, after all that came before is delivered")
  func saysThatTheConnectionBroke() throws {
    let pump = try RunningPump()
    try pump.write("goodbye", to: .connection)
    pump.close(.connection)
    // Whether or not this is still sent, what was received stays.
    try? pump.write("too late", to: .input)
    #expect(try pump.read(.max, from: .output) == "goodbye")
    let failure = pump.failure()
    #expect(failure == nil || failure?.side == .connection)
  }
}

/// A pump in a thread of its own between an input, an output and a connection, whose other sides the test has.
private final class RunningPump: @unchecked Sendable {
  private var ends: [Pump.Side: CInt] = [:]
  private let thread: Background
  private let result = Result()

  private final class Result: @unchecked Sendable { var failure: Pump.Failure? }

  init(receivesOnly: Bool = false, changesLineEnds: Bool = false, patience: Duration? = .zero) throws {
    // As the program does: a reader that is gone is an error then.
    Signal.brokenPipe.ignore()
    var theirs: [Pump.Side: CInt] = [:]
    for side in [Pump.Side.input, .output, .connection] {
      let pair = try SocketPair(kind: .stream)
      var limit = timeval(tv_sec: 20, tv_usec: 0)
      for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        setsockopt(pair.first.number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
      }
      ends[side] = pair.first.release()
      theirs[side] = pair.second.release()
    }
    let result = result
    let numbers = theirs
    thread = Background {
      guard let input = numbers[.input], let output = numbers[.output], let connection = numbers[.connection] else {
        return
      }
      let source: Descriptor? = Descriptor(owning: input)
      let sink = NonBlockingOutput(Descriptor(owning: output))
      let peer = Descriptor(owning: connection)
      do {
        var pump = try Pump(
          input: receivesOnly ? nil : source, output: sink, connection: peer, changesLineEnds: changesLineEnds,
          patience: patience)
        try pump.run()
      } catch { result.failure = error as? Pump.Failure }
    }
  }

  deinit {
    for side in [Pump.Side.input, .output, .connection] { close(side) }
    thread.join()
  }

  func close(_ side: Pump.Side) { if let number = ends.removeValue(forKey: side) { _ = Descriptor(owning: number) } }

  /// The other side finds the end, and may go on.
  func endSending(_ side: Pump.Side) { if let number = ends[side] { shutdown(number, CInt(SHUT_WR)) } }

  func write(_ text: String, to side: Pump.Side) throws {
    try Descriptor.withBorrowed(try #require(ends[side])) { try $0.writeAll(text) }
  }

  func isReadable(_ side: Pump.Side) -> Bool {
    ends[side].map { Descriptor.withBorrowed($0) { $0.wait(for: .readable, until: .immediate) } } ?? false
  }

  /// Waits for as many bytes, or for the end.
  func read(_ count: Int, from side: Pump.Side) throws -> String {
    var bytes: [UInt8] = []
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 1)
    defer { room.deallocate() }
    let number = try #require(ends[side])
    while bytes.count < count {
      let part = UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, count - bytes.count)])
      let length = try Descriptor.withBorrowed(number) { try $0.read(into: part) }
      if length == 0 { break }
      bytes += part[..<length]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Why it ended, after it has.
  func failure() -> Pump.Failure? {
    thread.join()
    return result.failure
  }
}
