import Glibc
import NameService
@_spi(Begat) import UnixCore
import UnixIPC

let socketSubcommands: Subcommands = [
  "passing-hostile": passedTooManyLeaksNothing,
  "passing-no-room": passedWithoutRoomLeaksNothing,
  "connect-idle": waitingForABacklogCostsNothing,
  "race-descriptors": raceLeavesNothing,
  "name-descriptors": namedTargetLeavesNothing,
  "inquiry-descriptors": inquiryLeavesNothing,
  "inquiry-few": inquiryMakesDoWithFewDescriptors,
  "race-failures": failureLetsTheNextBegin,
  "inquiry-unreachable": unreachableHostIsSaid,
  "multicast": groupsAreJoinedAndLeft,
]

/// Fails when the body leaves descriptors open that were not, or closes others.
private func expectNoLeak(_ what: String, _ body: () throws -> Void) throws {
  let before = try openDescriptors()
  try body()
  try expectEqual(try openDescriptors(), before, "descriptors after \(what)")
}

/// Nanoseconds of processor time that the body took.
private func processorTime(of body: () throws -> Void) rethrows -> Int64 {
  func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
  let before = now()
  try body()
  return now() - before
}

private func address(of socket: borrowing Descriptor) throws -> SocketAddress {
  guard let address = try socket.localAddress().address else { throw Wrong(description: "no address") }
  return address
}

// MARK: Passing

/// How receiving fails of so many that were passed, where `most` are welcome.
private func failureOfReceiving(_ passed: Int, atMost most: Int) throws -> ErrorCode? {
  let pair = try SocketPair(kind: .stream)
  let sent = try [UInt8]("x".utf8).withUnsafeBytes {
    try pair.second.send($0, passing: [CInt](repeating: STDIN_FILENO, count: passed))
  }
  try expectEqual(sent, 1, "bytes sent")
  return withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { room in
    failure { () throws(SystemCallError) in try pair.first.receive(into: room, maxPassed: most) }?.code
  }
}

func passedTooManyLeaksNothing(_ words: [String]) throws {
  for (passed, most, expected) in [
    (1, 0, ErrorCode.messageTooLong), (2, 1, .messageTooLong), (253, 1, .messageTooLong), (253, 0, .messageTooLong),
    (253, 252, .messageTooLong), (20, 3, .messageTooLong), (5, 5, nil), (253, 253, nil), (0, 0, nil),
  ] as [(Int, Int, ErrorCode?)] {
    try expectNoLeak("\(passed) passed, \(most) welcome") {
      try expectEqual(try failureOfReceiving(passed, atMost: most), expected, "\(passed) passed, \(most) welcome")
    }
  }
  try expectNoLeak("a message that nobody took") {
    for _ in 0..<10 { try expectEqual(try failureOfReceiving(100, atMost: 100), nil, "100 passed") }
  }
  try expectNoLeak("a plain receive") {
    let pair = try SocketPair(kind: .stream)
    _ = try [UInt8]("x".utf8).withUnsafeBytes { try pair.second.send($0, passing: [0, 1, 2]) }
    try expectEqual(try readBytes(1, from: pair.first), Array("x".utf8), "the byte")
  }
}

func passedWithoutRoomLeaksNothing(_ words: [String]) throws {
  try ResourceLimit.openFiles.set(soft: 40, hard: 40)
  try expectNoLeak("more passed than there is room for") {
    try expectEqual(try failureOfReceiving(100, atMost: 100), .tooManyOpenFiles, "100 passed to a process with 40")
  }
}

// MARK: Connecting

func waitingForABacklogCostsNothing(_ words: [String]) throws {
  let name = SocketAddress.unixAbstract(Array("begat-probe-\(getpid())".utf8))
  let listener = try ListeningSocket(name, backlog: 0)
  let first = try ClientSocket.connect(to: name)
  try expectNoLeak("waiting in vain") {
    let used = try processorTime {
      let late = failure { () throws(SystemCallError) in
        try ClientSocket.connect(to: name, until: Deadline(after: .milliseconds(500)))
      }
      try expectEqual(late?.code, .timedOut, "a full backlog")
    }
    try expect(used < 50_000_000, "waiting half a second took \(used) ns of the processor")
  }
  try expect(first.number >= 0 && listener.descriptor.number >= 0, "closed")
}

func raceLeavesNothing(_ words: [String]) throws {
  let silentListener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 0)
  let silent = try address(of: silentListener.descriptor)
  let filler = try ClientSocket.connect(to: silent)
  let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
  let listening = try address(of: listener.descriptor)
  let closed = try ListeningSocket(.ipv6(.loopback, port: 0), backlog: 1)
  let refusing = SocketAddress.ipv4(.loopback, port: try address(of: closed.descriptor).port ?? 1)
  for addresses in [[listening], [refusing, listening], [silent, listening], [silent, refusing, silent, listening]] {
    try expectNoLeak("a race won") {
      let connected = try ClientSocket.connect(toFirstOf: addresses, until: Deadline(after: .seconds(20)))
      try expectEqual(connected.address, listening, "the winner")
    }
  }
  for addresses in [[silent], [refusing], [silent, silent], [refusing, refusing], [silent, refusing, silent], []] {
    try expectNoLeak("a race lost") {
      let used = try processorTime {
        let found = failure { () throws(ConnectionError) in
          try ClientSocket.connect(toFirstOf: addresses, until: Deadline(after: .milliseconds(300)))
        }
        try expectEqual(found?.failures.count, addresses.count, "reasons")
      }
      try expect(used < 50_000_000, "waiting took \(used) ns of the processor")
    }
  }
  try ResourceLimit.openFiles.set(soft: UInt64(try openDescriptors().count), hard: 1024)
  let found = failure { () throws(ConnectionError) in try ClientSocket.connect(toFirstOf: [silent, listening]) }
  try expectEqual(found?.failures.first?.code, .tooManyOpenFiles, "without room")
  try expect(filler.number >= 0, "closed")
}

func namedTargetLeavesNothing(_ words: [String]) throws {
  let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
  let port = String(try address(of: listener.descriptor).port ?? 0)
  // The name service may keep what it opened first.
  _ = try ConnectionTarget("localhost", port: port).addresses()
  try expectNoLeak("a name") {
    let connected = try ConnectionTarget("localhost", port: "begat-none(\(port))").connect()
    try expectEqual(connected.address, try address(of: listener.descriptor), "the winner")
  }
}

// MARK: Inquiries

/// A server in a process of its own that answers each datagram with itself.
private func echoServer() throws -> (address: SocketAddress, process: pid_t) {
  let server = try DatagramSocket(.ipv4(.any, port: 0))
  let port = try address(of: server.descriptor).port ?? 0
  let child = try forked {
    var sender = DatagramSocket.Sender()
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    while true {
      _ = server.descriptor.wait(for: .readable)
      guard let count = try? server.receive(into: room, from: &sender) else { continue }
      try? server.send(UnsafeRawBufferPointer(rebasing: room[..<count]), to: &sender)
    }
  }
  return (.ipv4(.loopback, port: port), child)
}

func inquiryLeavesNothing(_ words: [String]) throws {
  let (answering, server) = try echoServer()
  defer {
    try? Signal.kill.send(to: server)
    _ = try? Children.wait(for: server)
  }
  let quiet = try DatagramSocket(.ipv4(.loopback, port: 0))
  let silent = try address(of: quiet.descriptor)
  let closed = try DatagramSocket(.ipv6(.loopback, port: 0))
  let refusing = SocketAddress.ipv4(.loopback, port: try address(of: closed.descriptor).port ?? 1)
  let asked = [answering, silent, refusing, .unixPath("/nonexistent/socket"), answering]
  try expectNoLeak("an inquiry") {
    let used = try processorTime {
      let outcomes = try DatagramInquiry(question: [1, 2, 3]).ask(asked, until: Deadline(after: .milliseconds(500)))
      guard case .answered(let answer) = outcomes[0], case .answered = outcomes[4] else {
        throw Wrong(description: "no answers: \(outcomes)")
      }
      try expectEqual(answer.bytes, [1, 2, 3], "answer")
      try expectEqual(outcomes[1], .silent, "the silent")
      try expectEqual(outcomes[2], .refused, "the refusing")
      let failed = SystemCallError("connect", on: "/nonexistent/socket", code: .noSuchFileOrDirectory)
      try expectEqual(outcomes[3], .failed(failed), "the missing")
    }
    try expect(used < 100_000_000, "waiting half a second took \(used) ns of the processor")
  }
}

func inquiryMakesDoWithFewDescriptors(_ words: [String]) throws {
  let (answering, server) = try echoServer()
  defer {
    try? Signal.kill.send(to: server)
    _ = try? Children.wait(for: server)
  }
  let quiet = try DatagramSocket(.ipv4(.loopback, port: 0))
  let silent = try address(of: quiet.descriptor)
  try ResourceLimit.openFiles.set(soft: 40, hard: 40)
  let room = 40 - (try openDescriptors().count) - 1
  let inquiry = DatagramInquiry(question: [7])
  try expectNoLeak("more hosts than descriptors") {
    let outcomes = try inquiry.ask(
      Array(repeating: answering, count: 3000), until: Deadline(after: .seconds(20)))
    let answered = outcomes.count { if case .answered = $0 { true } else { false } }
    try expectEqual(answered, 3000, "answers of 3000")
  }
  try expectNoLeak("more silent hosts than descriptors") {
    let hosts = Array(repeating: silent, count: 100) + [answering]
    let used = try processorTime {
      let outcomes = try inquiry.ask(hosts, until: Deadline(after: .milliseconds(300)))
      let failure = SystemCallError("socket", on: "\(silent)", code: .tooManyOpenFiles)
      try expectEqual(outcomes.count { $0 == .silent }, room, "asked and silent")
      try expectEqual(outcomes.count { $0 == .failed(failure) }, 100 - room, "not asked")
    }
    try expect(used < 100_000_000, "waiting took \(used) ns of the processor")
  }
}
