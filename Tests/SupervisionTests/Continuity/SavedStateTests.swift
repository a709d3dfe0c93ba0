import ControlProtocol
import Glibc
import JSON
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

@Suite struct SavedStateTests {
  private static var full: SavedState {
    var counters = ServiceCounters()
    counters.accepted = 7
    counters.bytesSent = 1 << 60
    counters.outcomes = [1, 2, 3]
    counters.acceptedHistory.newest = 1000
    counters.acceptedHistory.counts[10] = 5
    let generation = SavedState.Generation(
      number: 3, process: 4711, column: 2, slotCount: 256, state: .retired, startTime: 10, readySince: 20,
      recordsReceived: 6, showsState: true, sockets: [.init(number: 3, address: "127.0.0.1:80")])
    var state = SavedState()
    state.bans = 9
    state.sockets = [
      .init(
        name: "begat-stream 127.0.0.1;80", service: "echo", wanted: .ipv4(.loopback, port: 0), file: nil),
      .init(name: "begat-stream /x", service: "echo", wanted: nil, file: .init(device: .max, inode: 1)),
    ]
    state.services = [
      .init(
        name: "echo", lastGeneration: 3, isDrained: true, logAddress: .prefix, waits: true, totals: counters,
        generations: [generation])
    ]
    state.serviceNumbers = [.init(service: "echo", number: 1), .init(service: "gone", number: .max)]
    return state
  }

  @Test("is the same after it was written and read", arguments: [SavedState(), full])
  func isRead(state: SavedState) throws {
    #expect(try SavedState(reading: Array(state.json.text.utf8)) == state)
    let file = try state.write()
    // The offset belongs to all that have the file.
    lseek(file.number, 5, SEEK_SET)
    #expect(try SavedState(reading: file) == state)
  }

  @Test("cannot be changed in its file")
  func isSealed() throws {
    let file = try Self.full.write()
    #expect(throws: SystemCallError.self) { try file.writeAll("x") }
    #expect(ftruncate(file.number, 0) == -1)
  }

  @Test("is read where another version has written more members, and without those it does not know")
  func ignoresOthers() throws {
    var text = Self.full.json.text
    text.replace("\"format\":1", with: "\"format\":1,\"later\":[{\"a\":1}]")
    text.replace("\"column\":2", with: "\"column\":2,\"later\":null")
    text.replace("\"accepted\":7,", with: "")
    var expected = Self.full
    expected.services[0].totals.accepted = 0
    #expect(try SavedState(reading: Array(text.utf8)) == expected)
  }

  @Test(
    "refuses what it cannot be",
    arguments: [
      ("\"format\":1", "\"format\":2", "format 2; this version of begatd reads format 1"),
      ("\"format\":1,", "", "no format; this version of begatd reads format 1"),
      ("\"number\":3", "\"number\":0", "number, process, column or slots"),
      ("\"process\":4711", "\"process\":-1", "number, process, column or slots"),
      ("\"column\":2", "\"column\":4", "number, process, column or slots"),
      ("\"slots\":256", "\"slots\":-1", "number, process, column or slots"),
      ("\"state\":\"retired\"", "\"state\":\"asleep\"", "state"),
      ("\"name\":\"echo\"", "\"name\":\"e c\"", "name"), ("\"wanted\":\"127", "\"wanted\":\"x127", "wanted"),
      ("\"log-address\":\"prefix\"", "\"log-address\":\"\"", "log-address"),
      ("\"sockets\":[", "\"sockets\":7,\"x\":[", "sockets"), ("}]}", "}]", "column"),
    ])
  func refuses(part: String, replacement: String, message: String) throws {
    let text = Self.full.json.text
    try #require(text.contains(part))
    #expect {
      try SavedState(reading: Array(text.replacing(part, with: replacement, maxReplacements: 1).utf8))
    } throws: {
      "\($0)".contains(message)
    }
  }

  @Test("is taken in its newest version that can be read, with a line about each other")
  func takesNewest() throws {
    let kept = KeptDescriptors()
    for (number, text) in [(2, "x"), (10, "{"), (9, Self.full.json.text), (1, SavedState().json.text)] {
      let file = try MemoryFile.create(name: "state", size: 0)
      try file.writeAll(text)
      kept.add(file, named: KeptName.state(UInt64(number)).text)
    }
    let (state, problems) = kept.takeState()
    #expect(state?.number == 9 && state?.services == Self.full.services)
    #expect(problems.count == 1 && problems[0].hasPrefix("begat-state 10: "))
    #expect(kept.isEmpty)
  }

  @Test("does not count several descriptors of one name as one that is known")
  func noticesAmbiguity() throws {
    let kept = KeptDescriptors()
    for _ in 0..<2 { kept.add(try MemoryFile.create(name: "x", size: 1), named: "begat-book x") }
    kept.add(try MemoryFile.create(name: "x", size: 1), named: "begat-book y")
    #expect(kept.identities["begat-book x"] == .unknown)
    #expect(kept.identities["begat-book y"] != .unknown)
    #expect(kept.names == ["begat-book x", "begat-book y"])
  }
}
