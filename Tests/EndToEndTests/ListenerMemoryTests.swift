import Foundation
import Testing
@_spi(Begat) import UnixCore

/// How much of a listener's memory each fork has to copy the page tables of.
@Suite(.timeLimit(.minutes(30)))
struct ListenerMemoryTests {
  private struct Mapping {
    let start: UInt
    var kibibytes: [Substring: Int] = [:]
  }

  /// The mappings of the file that holds what the listener had written when it was ready.
  private func mappings(of process: pid_t) throws -> [Mapping] {
    var found: [Mapping] = []
    var isOfFile = false
    // Read to its end: a file of /proc has no size, and comes in pieces.
    let file = try #require(FileHandle(forReadingAtPath: "/proc/\(process)/smaps"))
    let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if let start = words[0].split(separator: "-").first.flatMap({ UInt($0, radix: 16) }), words.count >= 5 {
        isOfFile = line.contains("memfd:begat-memory") && words[1] == "rw-p"
        if isOfFile { found.append(Mapping(start: start)) }
      } else if isOfFile, words.count == 3, let size = Int(words[1]) {
        found[found.count - 1].kibibytes[words[0].dropLast()] = size
      }
    }
    return found
  }

  @Test("pages of the heap that only the start has touched are not in the listener's page tables")
  func leavesPagesOfTheStart() throws {
    try withDaemon(SampleConfiguration.service("echo")) { daemon in
      let client = try Client(try daemon.address("echo"))
      try client.send("served\n")
      #expect(try client.receive(until: "\n") == "served\n")
      let heap = try #require(try mappings(of: daemon.listener("echo")).min { $0.start < $1.start })
      let size = try #require(heap.kibibytes["Size"])
      let present = try #require(heap.kibibytes["Rss"])
      #expect(present > 0)
      #expect(2 * present < size, "\(present) of \(size) KiB")
    }
  }
}
