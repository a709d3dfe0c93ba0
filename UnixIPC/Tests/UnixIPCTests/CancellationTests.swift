import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore

@Suite(.timeLimit(.minutes(30))) struct CancellationTests {
  @Test("is cancelled once and stays so, and can be cancelled in any thread")
  func staysCancelled() throws {
    let cancellation = try Cancellation()
    #expect(!cancellation.isCancelled)
    let threads = (0..<8).map { _ in Background { for _ in 0..<100 { cancellation.cancel() } } }
    for thread in threads { thread.join() }
    #expect(cancellation.isCancelled && cancellation.isCancelled)
  }

  @Test("is set off by signals as long as it lives, whatever they do else")
  func followsSignals() throws { try ProbeProgram.check("cancellation-signals") }

  @Test("of signals ends a program that leaves nothing behind")
  func endsAProgram() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("cancellation-signals-server", directory["f"])
    #expect(directory.names().isEmpty)
  }

  @Test("never blocks, not even where its counter is full")
  func neverBlocks() throws {
    let cancellation = try Cancellation()
    var greatest = UInt64.max - 1
    #expect(write(cancellation.number, &greatest, 8) == 8)
    cancellation.cancel()
    #expect(cancellation.isCancelled)
  }

  @Test("holds as long as a descriptor is readable, which its owner may close")
  func followsADescriptor() throws {
    let pair = try SocketPair(kind: .stream)
    let ours = pair.first
    let theirs = pair.second
    let cancellation = try Cancellation(whenReadable: ours)
    #expect(!cancellation.isCancelled)
    try theirs.writeAll("x")
    #expect(cancellation.isCancelled)
    var byte: UInt8 = 0
    #expect(read(ours.number, &byte, 1) == 1 && !cancellation.isCancelled)
    _ = consume ours
    #expect(!cancellation.isCancelled)
    _ = consume theirs
    #expect(cancellation.isCancelled)
  }

  @Test("can be cancelled beside a descriptor that is not readable")
  func isCancelledBesideADescriptor() throws {
    let pair = try SocketPair(kind: .stream)
    let cancellation = try Cancellation(whenReadable: pair.first)
    cancellation.cancel()
    #expect(cancellation.isCancelled)
    let file = try Descriptor.open("/etc/passwd", .readOnly)
    #expect(throws: SystemCallError.self) { try Cancellation(whenReadable: file) }
  }

  @Test("ends a wait, before a descriptor that is ready")
  func endsAWait() throws {
    let pair = try SocketPair(kind: .stream)
    let ours = pair.first
    let cancellation = try Cancellation()
    let thread = Background { cancellation.cancel() }
    #expect(ours.waitEnd(for: .readable, until: Deadline(after: .seconds(20)), cancelledBy: cancellation) == .cancelled)
    thread.join()
    #expect(!ours.wait(for: .writable, cancelledBy: cancellation) && ours.wait(for: .writable))
    #expect(throws: SystemCallError("recv", on: "peer", code: .canceled)) {
      try ours.await(.readable, until: .never, cancelledBy: cancellation, for: "recv", on: "peer")
    }
    #expect(throws: SystemCallError("recv", code: .timedOut)) {
      try ours.await(.readable, until: Deadline(after: .milliseconds(1)), cancelledBy: nil, for: "recv")
    }
  }

  @Test("ends waits while a signal waits in a queue")
  func followsAQueue() throws { try ProbeProgram.check("queue-cancels") }
}
