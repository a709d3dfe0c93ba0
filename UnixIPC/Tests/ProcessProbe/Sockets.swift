import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

func descriptorClosedByAnotherIsABug(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  let status = try end {
    close(STDERR_FILENO)
    let stolen = try Descriptor.open("/dev/null", .readOnly)
    close(stolen.number)
    return 0
  }
  guard case .killed = status else { throw Wrong(description: "closing a closed descriptor: \(status)") }
}

func descriptorRangeIsClosed(_ words: [String]) throws {
  // Whatever the starter left open.
  try DescriptorRange.close(from: 3)
  for number: CInt in 10...20 { try expect(dup2(0, number) == number, "dup2") }
  try DescriptorRange.close(from: 11, through: 12)
  try DescriptorRange.close(from: 15, through: 14)
  try expectEqual(try openDescriptors(), [0, 1, 2, 10] + Array(13...20), "after a part")
  try DescriptorRange.close(from: 3)
  try expectEqual(try openDescriptors(), [0, 1, 2], "after all")
  for first: CInt in [.min, -1] {
    try DescriptorRange.close(from: first, through: -1)
    try DescriptorRange.close(from: first, keeping: [.min, -1, 0, 1, 2])
  }
  try expectEqual(try openDescriptors(), [0, 1, 2], "below all")
}

func standardErrorNeverWaits(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  try expect(dup2(writing.number, STDERR_FILENO) == STDERR_FILENO, "dup2")
  try StandardError.tryWrite("a line\n")
  try expectEqual(try readBytes(7, from: reading), Array("a line\n".utf8), "written")
  try expectNoRoomAtLast("a pipe whose reader does not read")
}

/// Texts of all lengths are written until there is no room; then longer and shorter ones are tried.
private func expectNoRoomAtLast(_ what: String) throws {
  Alarm.set(after: .seconds(10))
  for length in [100_000, 1000, 5000] {
    let found = failure { () throws(SystemCallError) in
      for _ in 0..<100_000 { try StandardError.tryWrite(String(repeating: "x", count: length)) }
    }
    try expectEqual(found?.code, .wouldBlock, "\(what), \(length) bytes at once")
  }
  Alarm.cancel()
}

/// The pipe of another user cannot be opened a second time.
func foreignStandardErrorNeverWaits(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  try expect(dup2(ends.writeEnd.number, STDERR_FILENO) == STDERR_FILENO, "dup2")
  try Identity(user: 65534, group: 65534).become()
  try expect(
    (try? Descriptor.open("/proc/self/fd/2", [.writeOnly, .nonBlocking])) == nil, "the pipe can be opened after all")
  try StandardError.tryWrite("a line\n")
  try expectEqual(try readBytes(7, from: reading), Array("a line\n".utf8), "written")
  try expectNoRoomAtLast("another user's pipe")
}

/// As Ctrl-S does it.
func stoppedTerminalNeverHoldsUp(_ words: [String]) throws {
  let terminal = try PseudoTerminal()
  let side = try terminal.openTerminalSide()
  try expect(dup2(side.number, STDERR_FILENO) == STDERR_FILENO, "dup2")
  try expect(tcflow(STDERR_FILENO, TCOOFF) == 0, "tcflow")
  try expectNoRoomAtLast("a stopped terminal")
  try expect(terminal.controlling.number >= 0, "the terminal is held open")
}

func socketAsStandardErrorNeverWaits(_ words: [String]) throws {
  let pair = try SocketPair(kind: .stream)
  try expect(dup2(pair.second.number, STDERR_FILENO) == STDERR_FILENO, "dup2")
  try expectNoRoomAtLast("a socket whose peer does not read")
  try expect(pair.first.number >= 0, "the peer is held open")
}

// MARK: Activation

private struct Taken: Equatable {
  let number: CInt
  let name: String
}

private struct Passed {
  var process: String? = String(getpid())
  var count: String?
  var names: String?

  /// What is taken, left open.
  func take() throws(SocketActivation.ActivationError) -> [Taken] {
    for (name, value) in [("LISTEN_PID", process), ("LISTEN_FDS", count), ("LISTEN_FDNAMES", names)] {
      if let value { setenv(name, value, 1) } else { unsetenv(name) }
    }
    return try takeSockets()
  }

  func expectNothing(_ what: String) throws { try expectEqual(try take(), [], what) }

  func expectError(_ error: SocketActivation.ActivationError) throws {
    let found = failure { () throws(SocketActivation.ActivationError) in try take() }
    try expectEqual(found, error, "LISTEN_FDS=\(count ?? "")")
  }
}

private func takeSockets() throws(SocketActivation.ActivationError) -> [Taken] {
  var sockets = try SocketActivation.take()
  var taken: [Taken] = []
  while let socket = sockets.takeFirst() {
    taken.append(Taken(number: socket.descriptor.number, name: socket.name))
    _ = socket.descriptor.release()
  }
  return taken
}

private func passThree() throws { for number: CInt in 3...5 { try expect(dup2(0, number) == number, "dup2") } }

func activationTakesWhatWasPassed(_ words: [String]) throws {
  try passThree()
  try Passed().expectNothing("no variables")
  try Passed(process: String(getppid()), count: "2").expectNothing("another's process number")
  try Passed(process: "", count: "2").expectNothing("empty process number")
  try Passed(process: "+\(getpid())", count: "2").expectNothing("signed process number")
  try Passed(process: nil, count: "2").expectNothing("no process number")
  try Passed(count: nil).expectNothing("no count")
  try Passed(count: "0").expectNothing("count of 0")
  for count in ["-1", "2147483648", "4294967299", "1048576", "", "3 ", "0x3", "+3", "three"] {
    try Passed(count: count).expectError(.badCount(count))
    try expectNoVariables()
  }
  try Passed(count: "4").expectError(.notOpen(6))
  try expect(fcntl(3, F_GETFD) == -1, "what nobody takes is left open")

  try passThree()
  let named = try Passed(count: "3", names: "http:command:").take()
  try expectEqual(named.map(\.name), ["http", "command", ""], "names")
  try expectEqual(named.map(\.number), [3, 4, 5], "numbers")
  for number: CInt in 3...5 { try expect(fcntl(number, F_GETFD) == FD_CLOEXEC, "\(number) would be inherited") }
  try expectNoVariables()
  try expectEqual(try Passed(count: "2", names: "one").take().map(\.name), ["one", "unknown"], "too few names")
  try expectEqual(try Passed(count: "1", names: "a:b:c").take().map(\.name), ["a"], "too many names")
  try expectEqual(try Passed(count: "1").take().map(\.name), ["unknown"], "no names")
  try expectEqual(try takeSockets(), [], "the second time")
}

private func expectNoVariables() throws {
  for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
    try expect(getenv(name) == nil, "\(name) is still set")
  }
}

// MARK: Files of Unix sockets

/// Every round starts with the dead socket of the round before.
func oneOfManyTakesAPath(_ words: [String]) throws {
  let path = words[0]
  for round in 1...150 {
    let gate = try PipeEnds()
    let reading = gate.readEnd
    let writing = gate.writeEnd
    let news = try PipeEnds()
    let results = news.readEnd
    let telling = news.writeEnd
    let hold = try PipeEnds()
    let holding = hold.readEnd
    let release = hold.writeEnd
    let children = try (0..<4).map { _ in
      try forked {
        close(writing.number)
        close(release.number)
        _ = try readBytes(1, from: reading)
        do throws(UnixSocketFile.BindError) {
          let bound = try UnixSocketFile.listen(at: path, backlog: 16, access: UnixSocketFile.Access())
          try? telling.writeAll("+")
          _ = try? readBytes(1, from: holding)
          return bound.socket.descriptor.isListening ? 0 : 1
        } catch {
          try? telling.writeAll(error == .inUse(UnixPath(path)) ? "-" : "?")
          return 0
        }
      }
    }
    _ = consume writing
    let answers = try readBytes(4, from: results).sorted()
    try expectEqual(String(decoding: answers, as: UTF8.self), "+---", "round \(round)")
    _ = consume release
    for child in children { try expectEqual(try Children.wait(for: child), .exited(code: 0), "round \(round)") }
  }
}

func refusedOwnerLeavesNothing(_ words: [String]) throws {
  let path = words[0]
  if geteuid() == 0 { try Identity(user: 65534, group: 65534).become() }
  let found = failure { () throws(UnixSocketFile.BindError) in
    try UnixSocketFile.listen(at: path, backlog: 1, access: UnixSocketFile.Access(user: 0))
  }
  try expectEqual(found, .call(SystemCallError("chown", on: path, code: .notPermitted)), "giving it to root")
  try expect(access(path, F_OK) == -1, "the socket's file is left")
}
