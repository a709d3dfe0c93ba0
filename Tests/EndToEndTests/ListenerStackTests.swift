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
  }

  private func regions(of process: pid_t) throws -> [Region] {
    try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", maxSplits: 2)
      let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      return ends.count == 2 ? Region(start: ends[0], end: ends[1], rights: words[1]) : nil
    }
  }

  @Test("a connection process has neither its listener's stack nor room there")
  func lacksTheStack() throws {
    try withDaemon(SampleConfiguration.service("echo")) { daemon in
      let client = try Client(try daemon.address("echo"))
      let process = try #require(try daemon.awaitConnections(1, of: "echo").first)
      let listeners = try regions(of: daemon.listener("echo"))
      let stacks = zip(listeners, listeners.dropFirst()).filter { guardPage, stack in
        guardPage.rights == "---p" && stack.rights == "rw-p" && guardPage.end == stack.start
          && stack.end - stack.start >= 1 << 20
      }
      #expect(stacks.count == 1)
      for (_, stack) in stacks {
        #expect(try !regions(of: process).contains { $0.start < stack.end && stack.start < $0.end })
      }
      try client.send("still served\n")
      #expect(try client.receive(until: "\n") == "still served\n")
    }
  }
}
