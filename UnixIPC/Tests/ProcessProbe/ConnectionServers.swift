import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let connectionServerSubcommands: Subcommands = [
  "server-limit": serverKeepsItsLimit,
  "server-drain": serverDrains,
  "server-starts": serverReportsStarts,
  "server-kill": serverEndsStubbornChildren,
  "server-ignored-children": serverSurvivesIgnoredChildren,
  "server-deadline": serverStopsInTime,
  "server-deadline-drain": serverDrainsAfterADeadline,
  "server-mask": serverRestoresAForeignMask,
  "server-shortage": serverOutlivesAShortage,
  "server-unix": serverRemovesItsFile,
]

private let patience: Duration = .seconds(20)

/// A server in a process of its own.
private struct Server: ~Copyable {
  let address: SocketAddress
  let process: pid_t
  /// What it says when it has ended.
  let report: Descriptor

  /// - Parameter prepare: runs in the server's process first.
  init(
    maxChildren: Int = 10, gracePeriod: Duration = .seconds(20), prepare: @escaping () throws -> Void = {}
  ) throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
    guard let address = try listener.descriptor.localAddress().address else { throw Wrong(description: "no address") }
    let number = listener.descriptor.number
    let news = try PipeEnds()
    let write = news.writeEnd.number
    let process = try forked {
      try prepare()
      var ended: [ConnectionServer.EndedChild] = []
      var kept = [try Cancellation()]
      let server = ConnectionServer(
        try ListeningSocket(adopting: Descriptor(owning: number)), maxChildren: maxChildren,
        gracePeriod: gracePeriod)
      let signal = try server.run(childDidEnd: { ended.append($0) }) { client, _ in
        try serve(client) { kept.removeAll() }
      }
      let isAlone = waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD
      let statuses = ended.map { "\($0.status)" }.sorted().joined(separator: ",")
      let text =
        "\(signal.map { "\($0)" } ?? "nothing") \(ended.count) \(statuses)\(isAlone ? "" : " and a child left")"
      try Descriptor.withBorrowed(write) { try $0.writeAll(text) }
      return 0
    }
    self.address = address
    self.process = process
    report = news.readEnd
  }

  func connect(_ words: String = "") throws -> Descriptor {
    let client = try ClientSocket.connect(to: address, until: Deadline(after: patience))
    try client.sendAll(words)
    return client
  }

  /// Tells it to stop, and waits for what it says.
  func stop() throws -> String {
    try Signal.terminate.send(to: process)
    return try end()
  }

  func end() throws -> String {
    let text = String(decoding: try report.readPrefix(1000, until: Deadline(after: patience)), as: UTF8.self)
    var status: CInt = 0
    try expect(waitpid(process, &status, 0) == process && status == 0, "the server's status is \(status): \(text)")
    return text
  }
}

/// How many descriptors are open for more than their number: vacated ones can be neither read nor written.
private func usableDescriptors() throws -> Int {
  let pathOnly: CInt = 0x20_0000
  return try openDescriptors().count { fcntl($0, F_GETFL) & pathOnly == 0 }
}

/// What a child does, line by line.
///
/// - Parameter release: lets go of what the handler has from the server's process.
private func serve(_ client: consuming Descriptor, _ release: () -> Void) throws {
  var reader = BufferedReader(client)
  while let line = try reader.readLine(until: Deadline(after: .seconds(40))) {
    switch String(decoding: line, as: UTF8.self) {
    case "descriptors": try reader.descriptor.sendAll("\(try usableDescriptors())\n")
    case "release": release()
    case "mask": try reader.descriptor.sendAll("\(try status("SigBlk"))\n")
    case "throw": throw Wrong(description: "thrown")
    case "deaf":
      Signal.terminate.ignore()
      try reader.descriptor.sendAll("deaf\n")
    default: throw Wrong(description: "unknown")
    }
  }
}

private func answer(_ client: borrowing Descriptor) throws -> String {
  String(decoding: try client.receive(maxCount: 100, until: Deadline(after: patience)), as: UTF8.self)
}

func serverKeepsItsLimit(_ words: [String]) throws {
  let server = try Server(maxChildren: 2)
  let first = try server.connect("descriptors\n")
  // 0, 1, 2 and the connection: neither the listening socket nor anything else of the server's.
  try expectEqual(answer(first), "4\n", "descriptors")
  let second = try server.connect("mask\n")
  try expectEqual(answer(second), "0000000000000000\n", "blocked signals")
  let third = try server.connect("descriptors\n")
  try expect(!third.wait(for: .readable, until: Deadline(after: .milliseconds(100))), "the limit was exceeded")
  try first.shutDownSending()
  try expectEqual(answer(third), "4\n", "descriptors of the next")
  let thrown = try server.connect("throw\n")
  try second.shutDownSending()
  try expectEqual(answer(thrown), "", "after an error")
  _ = consume third
  // What the handler has captured is the copy's to let go of.
  let releasing = try server.connect("release\nmask\n")
  try expectEqual(answer(releasing), "0000000000000000\n", "after it has let go")
  _ = consume releasing
  try expectEqual(server.stop(), "\(Signal.terminate) 5 exit 0,exit 0,exit 0,exit 0,exit 1", "report")
}

func serverReportsStarts(_ words: [String]) throws {
  let listener = try ListeningSocket(port: 0)
  let port = try listener.descriptor.localAddress().address?.port ?? 0
  let first = try ClientSocket.connect(to: .ipv4(.loopback, port: port))
  let second = try ClientSocket.connect(to: .ipv6(.loopback, port: port))
  let stop = try Cancellation()
  var events: [String] = []
  var ended = 0
  try ConnectionServer(listener).run(
    until: Deadline(after: patience), cancelledBy: stop,
    childDidStart: { child in events.append("start \(child.process) \(child.peer?.host ?? "")") },
    childDidEnd: { child in
      events.append("end \(child.process) \(child.peer?.host ?? "")")
      ended += 1
      if ended == 2 { stop.cancel() }
    }
  ) { client, peer in try client.sendAll(peer?.host ?? "") }
  try expectEqual(text(first.readPrefix(100)), "127.0.0.1", "the first client's address")
  try expectEqual(text(second.readPrefix(100)), "::1", "the second client's address")
  try expectEqual(events.count, 4, "events \(events)")
  for (index, event) in events.enumerated() where event.hasPrefix("end ") {
    let start = "start " + event.dropFirst(4)
    try expect(events[..<index].contains(start), "\(events)")
  }
}

func serverDrains(_ words: [String]) throws {
  let server = try Server()
  let client = try server.connect("mask\n")
  try expectEqual(answer(client), "0000000000000000\n", "blocked signals")
  try Signal.terminate.send(to: server.process)
  // It listens no more, and whoever is connected is served still.
  let deadline = Deadline(after: patience)
  while failure(of: { () throws(SystemCallError) in try ClientSocket.connect(to: server.address) })?.code
    != .connectionRefused
  { try expect(!deadline.isExpired, "it goes on listening") }
  try client.sendAll("descriptors\n")
  try expectEqual(answer(client), "4\n", "descriptors while it drains")
  try client.shutDownSending()
  let report = try server.end()
  try expect(report.hasPrefix("\(Signal.terminate) ") && !report.contains("left"), report)
}

func serverEndsStubbornChildren(_ words: [String]) throws {
  let server = try Server(gracePeriod: .milliseconds(50))
  let deaf = try server.connect("deaf\n")
  let idle = try server.connect("mask\n")
  try expectEqual(answer(deaf), "deaf\n", "the deaf one")
  try expectEqual(answer(idle), "0000000000000000\n", "the idle one")
  try expectEqual(
    server.stop(),
    "\(Signal.terminate) 2 \(ExitStatus.killed(by: .kill, dumpedCore: false)),"
      + "\(ExitStatus.killed(by: .terminate, dumpedCore: false))", "report")
}

func serverSurvivesIgnoredChildren(_ words: [String]) throws {
  let server = try Server(maxChildren: 1) { Signal.child.ignore() }
  for _ in 1...3 {
    let client = try server.connect("descriptors\n")
    try expectEqual(answer(client), "4\n", "descriptors")
  }
  try expectEqual(server.stop(), "\(Signal.terminate) 3 exit 0,exit 0,exit 0", "report")
}

func serverStopsInTime(_ words: [String]) throws {
  for cancelled in [false, true] {
    let cancellation = try Cancellation()
    if cancelled { cancellation.cancel() }
    let server = ConnectionServer(try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1))
    let former = SignalSet.blocked
    let signal = try server.run(
      until: cancelled ? .never : Deadline(after: .milliseconds(20)), cancelledBy: cancellation
    ) { _, _ in }
    try expect(signal == nil, "\(signal.map { "\($0)" } ?? "")")
    try expect(SignalSet.blocked == former, "the mask has changed")
  }
}

/// The deadline of the thread ends the serving; neither the grace period nor the waits for the children.
func serverDrainsAfterADeadline(_ words: [String]) throws {
  var statuses: [ExitStatus] = []
  let start = SystemClock.monotonic()
  let usedBefore = clock()
  let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
  let address = try listener.descriptor.localAddress().address
  var server: ConnectionServer? = ConnectionServer(listener, gracePeriod: .milliseconds(500))
  let client = try address.map { try ClientSocket.connect(to: $0) }
  let signal = try withDeadline(after: .milliseconds(200)) {
    try server.take()?.run(childDidEnd: { statuses.append($0.status) }) { client, _ in
      _ = try client.receive(maxCount: 1)
    }
  }
  _ = consume client
  try expect(signal == .some(nil), "stopped by \(String(describing: signal))")
  let time = SystemClock.monotonic() - start
  try expect(time >= 700_000_000, "after \(time) ns")
  let used = (clock() - usedBefore) * 1000 / clock_t(CLOCKS_PER_SEC)
  try expect(used < 250, "it has computed for \(used) ms")
  try expectEqual(statuses, [.killed(by: .terminate, dumpedCore: false)], "the child")
}

/// `SIGRTMAX` is in no `SignalSet`, but something else may have blocked it.
func serverRestoresAForeignMask(_ words: [String]) throws {
  var native = sigset_t()
  sigfillset(&native)
  pthread_sigmask(SIG_SETMASK, &native, nil)
  let before = try status("SigBlk")
  let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
  _ = try ConnectionServer(listener).run(until: Deadline(after: .milliseconds(10))) { _, _ in }
  try expectEqual(status("SigBlk"), before, "after a server")
  try expectEqual(ForkedProcess.run { 7 }.waitForExit(), .exited(code: 7), "a copy")
  try expectEqual(status("SigBlk"), before, "after a copy")
}

/// No descriptor is left for another connection until the ends of children set some free.
func serverOutlivesAShortage(_ words: [String]) throws {
  let server = try Server(maxChildren: 50) {
    try ResourceLimit.openFiles.set(soft: UInt64(openDescriptors().count + 5), hard: 1024)
  }
  var clients = DescriptorList()
  for _ in 0..<20 { clients.append(try server.connect("mask\n")) }
  var count = 0
  while let client = clients.takeFirst() {
    try expectEqual(answer(client), "0000000000000000\n", "blocked signals")
    count += 1
  }
  try expectEqual(count, 20, "clients")
  let report = try server.stop()
  try expect(report.hasPrefix("\(Signal.terminate) 20 ") && !report.contains("exit 1"), report)
}

func serverRemovesItsFile(_ words: [String]) throws {
  let path = words[0]
  let listening = try UnixSocketFile.listen(at: path, backlog: 5, access: UnixSocketFile.Access())
  try expect(access(path, F_OK) == 0, "no file")
  _ = try ConnectionServer(listening).run(until: Deadline(after: .milliseconds(10))) { _, _ in }
  try expect(access(path, F_OK) == -1, "the file is left")
}
