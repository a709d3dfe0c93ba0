import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let brokenPipeSubcommands: Subcommands = [
  "broken-pipe": writingNeverEndsTheProcess,
  "broken-pipe-raw": rawWritingMayEndTheProcess,
  "broken-pipe-pending": foreignBrokenPipeIsKept,
  "close-twice": closingTwiceIsABug,
]

private typealias Writer = @Sendable (borrowing Descriptor) throws(SystemCallError) -> Void

private let data = [UInt8](repeating: 120, count: 10)

private func withData<Result>(_ body: (UnsafeRawBufferPointer) throws(SystemCallError) -> Result)
  throws(SystemCallError) -> Result
{ try data.span.bytes.withUnsafeBytes { (bytes) throws(SystemCallError) in try body(bytes) } }

/// A pipe with something in it, to splice from.
private func fullPipe() throws(SystemCallError) -> PipeEnds {
  let ends = try PipeEnds()
  try ends.writeEnd.writeAll(data)
  return ends
}

private let writers: [String: Writer] = [
  "write": { (sink) throws(SystemCallError) in
    _ = try withData { (bytes) throws(SystemCallError) in try sink.write(bytes) }
  },
  "write of a span": { (sink) throws(SystemCallError) in _ = try sink.write(data.span.bytes) },
  "writeAll": { (sink) throws(SystemCallError) in
    try withData { (bytes) throws(SystemCallError) in try sink.writeAll(bytes) }
  },
  "writeAll of a text": { (sink) throws(SystemCallError) in try sink.writeAll("a line\n") },
  "writeAll of an array": { (sink) throws(SystemCallError) in try sink.writeAll(data) },
  "tryWrite": { (sink) throws(SystemCallError) in
    _ = try withData { (bytes) throws(SystemCallError) in try sink.tryWrite(bytes) }
  },
  "splice": { (sink) throws(SystemCallError) in
    let source = try fullPipe()
    _ = try source.readEnd.splice(to: sink, atMost: 10)
  },
  "sendFile": { (sink) throws(SystemCallError) in
    _ = try Descriptor.open("/proc/self/exe", .readOnly).sendFile(to: sink, atMost: 10)
  },
  "an output that never waits": { (sink) throws(SystemCallError) in
    let output = NonBlockingOutput(try sink.duplicate())
    _ = try withData { (bytes) throws(SystemCallError) in try output.write(bytes) }
  },
  "standard error": { (sink) throws(SystemCallError) in
    let former = try Descriptor.withBorrowed(STDERR_FILENO) { (errors) throws(SystemCallError) in try errors.duplicate()
    }
    StandardError.redirect(to: sink.number)
    defer { StandardError.redirect(to: former.number) }
    try StandardError.tryWrite("a line\n")
  },
]

private let senders: [String: Writer] = [
  "send": { (sink) throws(SystemCallError) in _ = try sink.send(data.span.bytes) },
  "sendAll of a text": { (sink) throws(SystemCallError) in try sink.sendAll("a line\n") },
  "sendAll of an array": { (sink) throws(SystemCallError) in
    try sink.sendAll(data, until: Deadline(after: .seconds(20)))
  },
  "send of a descriptor": { (sink) throws(SystemCallError) in
    _ = try sink.send(data.span.bytes, passing: Descriptor.open("/dev/null", .readOnly))
  },
]

/// Calls the body with the writing end of each kind, whose reader is gone.
private func withDeadReaders(_ body: (String, borrowing Descriptor) throws -> Void) throws {
  var pipe = try PipeEnds()
  pipe.readEnd = try Descriptor.open("/dev/null", .readOnly)
  try body("a pipe", pipe.writeEnd)

  var path = Array("/tmp/process-probe-XXXXXX".utf8CString)
  try expect(mkdtemp(&path) != nil, "mkdtemp")
  let directory = path.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  defer { rmdir(directory) }
  let fifo = directory + "/fifo"
  try expect(mkfifo(fifo, 0o600) == 0, "mkfifo")
  defer { unlink(fifo) }
  var reader: Descriptor? = try Descriptor.open(fifo, [.readOnly, .nonBlocking])
  let writer = try Descriptor.open(fifo, .writeOnly)
  try expect(reader != nil, "no reader")
  reader = nil
  try body("a FIFO", writer)

  for kind in [SocketKind.stream, .sequencedPacket, .datagram] {
    let pair = try SocketPair(kind: kind)
    try pair.first.shutDownReceiving()
    try body("a Unix socket, \(kind)", pair.second)
  }
  try body("a TCP connection", deadConnection())
}

/// A connection whose peer is gone and has said so.
private func deadConnection() throws -> Descriptor {
  let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
  guard let address = try listener.descriptor.localAddress().address else { throw Wrong(description: "no address") }
  let connection = try ClientSocket.connect(to: address)
  try listener.accept(until: Deadline(after: .seconds(20))).socket.setLinger(.zero)
  // After the reset, the first write says so and the next one is EPIPE.
  try expect(connection.wait(for: .readable, until: Deadline(after: .seconds(20))), "no reset")
  _ = try? connection.send(data.span.bytes)
  return connection
}

func writingNeverEndsTheProcess(_ words: [String]) throws {
  Signal.brokenPipe.restoreDefault()
  SignalSet(.brokenPipe).unblock()
  try withDeadReaders { kind, sink in
    let isSocket = sink.socketKind != nil
    for (name, write) in writers.merging(isSocket ? senders : [:], uniquingKeysWith: { $1 }) {
      let found = failure { () throws(SystemCallError) in try write(sink) }
      try expectEqual(found?.code, .brokenPipe, "\(name) to \(kind)")
      try expectEqual(status("SigPnd"), "0000000000000000", "pending signals after \(name) to \(kind)")
      try expect(!SignalSet.blocked.contains(.brokenPipe), "SIGPIPE is blocked after \(name) to \(kind)")
    }
  }
}

/// The danger that the others avoid.
func rawWritingMayEndTheProcess(_ words: [String]) throws {
  Signal.brokenPipe.restoreDefault()
  try withDeadReaders { kind, sink in
    // The kernel raises the signal for streams and pipes only.
    if let socketKind = sink.socketKind, socketKind != .stream { return }
    let status = try end {
      _ = try withData { (bytes) throws(SystemCallError) in try sink.writeRaw(bytes) }
      return 0
    }
    guard case .killed(by: .brokenPipe, dumpedCore: _) = status else {
      throw Wrong(description: "writing raw to \(kind): \(status)")
    }
  }
}

/// What another sender has waiting stays.
func foreignBrokenPipeIsKept(_ words: [String]) throws {
  SignalSet(.brokenPipe).block()
  raise(SIGPIPE)
  try withDeadReaders { kind, sink in
    for (name, write) in writers {
      let found = failure { () throws(SystemCallError) in try write(sink) }
      try expectEqual(found?.code, .brokenPipe, "\(name) to \(kind)")
      try expectEqual(status("SigPnd"), "0000000000001000", "pending signals after \(name) to \(kind)")
    }
  }
}

/// A file that takes what is written, and reports at the end that it is lost, needs a file system of its own: here only
/// that a number closed behind the owner's back ends the process in `close` as well.
func closingTwiceIsABug(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  let status = try end {
    Glibc.close(STDERR_FILENO)
    let stolen = try Descriptor.open("/dev/null", .readOnly)
    Glibc.close(stolen.number)
    try stolen.close()
    return 0
  }
  guard case .killed = status else { throw Wrong(description: "closing a closed descriptor: \(status)") }
}
