import Foundation
import Testing
@_spi(Begat) import UnixCore

/// Which memory of its listener a connection process does not get.
@Suite(.timeLimit(.minutes(30)))
struct ListenerStackTests {
  private struct Region: Hashable {
    let start: UInt
    let end: UInt
    let rights: Substring
    /// A file, or the kernel's name for the region; empty for anonymous memory.
    let name: Substring

    func contains(_ address: UInt) -> Bool { (start..<end).contains(address) }

    /// Whether these are variables, which the listener has moved into a file in memory.
    var isOfMovedMemory: Bool { rights == "rw-p" && name.contains("begat-memory") }
  }

  private func regions(of process: pid_t) throws -> [Region] {
    try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", maxSplits: 5)
      let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard ends.count == 2 else { return nil }
      let name = words.count > 5 ? words[5].drop { $0 == " " } : ""
      return Region(start: ends[0], end: ends[1], rights: words[1], name: name)
    }
  }

  /// Where a process that waits in a system call has its stack: proc_pid_syscall(5).
  private func stackPointer(of process: pid_t) throws -> UInt? {
    let words = try String(contentsOfFile: "/proc/\(process)/syscall", encoding: .utf8).split { $0.isWhitespace }
    return words.count >= 2 ? UInt(words[words.count - 2].dropFirst(2), radix: 16) : nil
  }

  private func names(of process: pid_t) throws -> Set<Substring> { Set(try regions(of: process).map(\.name)) }

  @Test("a connection process has no memory far from the rest: each piece costs it tables of pages")
  func lacksDistantMemory() throws {
    try withDaemon(SampleConfiguration.service("echo")) { daemon in
      let client = try Client(try daemon.address("echo"))
      let process = try #require(try daemon.awaitConnections(1, of: "echo").first)
      let connection = try names(of: process)
      #expect(connection.isDisjoint(with: ["[stack]", "[heap]"]), "\(connection)")
      #expect(try names(of: daemon.listener("echo")).contains("[stack]"))
      try client.send("still served\n")
      #expect(try client.receive(until: "\n") == "still served\n")
    }
  }

  @Test("a connection process has neither its listener's stack nor room there")
  func lacksTheStack() throws {
    try withDaemon(SampleConfiguration.service("echo")) { daemon in
      let client = try Client(try daemon.address("echo"))
      let process = try #require(try daemon.awaitConnections(1, of: "echo").first)
      let listener = try daemon.listener("echo")
      let pointer = try #require(try stackPointer(of: listener))
      let stack = try #require(try regions(of: listener).first { $0.contains(pointer) })
      #expect(stack.rights == "rw-p" && stack.end - stack.start >= 1 << 20)
      #expect(try !regions(of: process).contains { $0.start < stack.end && stack.start < $0.end })
      try client.send("still served\n")
      #expect(try client.receive(until: "\n") == "still served\n")
    }
  }

  /// The only processor on which connection processes have thread variables of their own.
  private static let hasRegisters: Bool = {
    #if arch(x86_64)
      true
    #else
      false
    #endif
  }()

  @Test("a connection process has its own stack above memory that it cannot write to")
  func hasAGuardedStack() throws {
    try withDaemon(SampleConfiguration.service("echo")) { daemon in
      let client = try Client(try daemon.address("echo"))
      let process = try #require(try daemon.awaitConnections(1, of: "echo").first)
      let regions = try regions(of: process)
      let pointer = try #require(try stackPointer(of: process))
      let stack = try #require(regions.first { $0.contains(pointer) })
      #expect(stack.rights == "rw-p" && stack.end - stack.start >= 1 << 19)
      #expect(!regions.contains { $0.contains(stack.start - 1) && $0.rights.contains("w") })
      client.hangUp()
    }
  }

  @Test(
    "a connection process lacks the pages of its listener's thread variables",
    .enabled(if: hasRegisters, "needs x86-64"))
  func lacksThreadVariables() throws {
    try withDaemon(SampleConfiguration.service("echo")) { daemon in
      let client = try Client(try daemon.address("echo"))
      let process = try #require(try daemon.awaitConnections(1, of: "echo").first)
      let last = try #require(try regions(of: daemon.listener("echo")).last { $0.isOfMovedMemory })
      #expect(last.end - last.start <= 8192)
      #expect(try !regions(of: process).contains { $0.start < last.end && last.start < $0.end })
      try client.send("still served\n")
      #expect(try client.receive(until: "\n") == "still served\n")
    }
  }

  /// It copies a page after a fork if a child still has it.  The first faults of a page each count too, so that the limit
  /// is one in two connections.
  @Test(
    "a listener writes to no page that its connection processes have", .enabled(if: hasRegisters, "needs x86-64"))
  func copiesNoPage() throws {
    try withDaemon(SampleConfiguration.service("time", "spare-processes = 0")) { daemon in
      let address = try daemon.address("time")
      let listener = try daemon.listener("time")
      let count = 200
      for _ in 0..<20 { _ = try ask(address) }
      let before = try #require(ProcessFacts(listener)).pageFaults
      for _ in 0..<count { _ = try ask(address) }
      let after = try #require(ProcessFacts(listener)).pageFaults
      #expect(after - before < count / 2)
    }
  }
}
