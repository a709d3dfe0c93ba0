import Foundation
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

/// Scoreboards of listeners without begatd, as files.
@Suite struct StandaloneBoardTests {
  /// Runs a test with a runtime directory of its own.
  private static func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = NSTemporaryDirectory() + "begat-board-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try body(directory)
  }

  private static func make(_ service: String, _ slotCount: Int, _ directory: String) throws -> StandaloneBoard {
    switch StandaloneBoard.make(service: service, slotCount: slotCount, in: directory) {
    case .some(let board): return board
    case nil: throw SystemCallError("open", on: directory, code: .permissionDenied)
    }
  }

  private static func files(_ directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: StandaloneBoard.directory(in: directory))) ?? []).sorted()
  }

  @Test("are seen with the name and the addresses while their listener lives")
  func areSeen() throws {
    try Self.withDirectory { directory in
      let file = try Self.make("hello", 3, directory)
      // Not filled in yet.
      #expect(StandaloneBoard.readers(in: directory).isEmpty)
      let board = try Scoreboard(file.object, service: "hello", slotCount: 3)
      board.show([("127.0.0.1:2345", false), ("/run/x y", false), ("[::1]:7", true)])
      board.countAccepted(now: SystemClock.monotonic())
      let reader = try #require(StandaloneBoard.readers(in: directory).first)
      #expect(reader.slotCount == 3 && reader.service.isWord("hello") && reader.listener == getpid())
      #expect(reader.addresses.map(\.text) == ["127.0.0.1:2345", "/run/x y", "[::1]:7"])
      #expect(reader.addresses.map(\.isDatagram) == [false, false, true])
      #expect(reader.counters.accepted == 1 && !reader.isDraining)
      file.remove()
      #expect(Self.files(directory) == [])
    }
  }

  @Test("leave out addresses that have no room")
  func cutsAddresses() throws {
    let board = try Scoreboard(service: "hello", slotCount: 1)
    let long = "/" + String(repeating: "a", count: 105)
    board.show((0..<20).map { _ in (long, false) })
    #expect(withUnsafeBytes(of: board.header.pointee.addresses) { $0.last { $0 != 0 } } == UInt8(ascii: "\n"))
  }

  @Test("are removed when nothing holds their lock")
  func removesStaleOnes() throws {
    try Self.withDirectory { directory in
      do {
        let file = try Self.make("dead", 1, directory)
        _ = try Scoreboard(file.object, service: "dead", slotCount: 1)
      }
      #expect(Self.files(directory) == ["dead.\(getpid())"])
      #expect(StandaloneBoard.readers(in: directory).isEmpty)
      #expect(Self.files(directory) == [])
    }
  }

  @Test(
    "are not believed: neither a file that is too small nor one that is no scoreboard", arguments: [100, 4096, 9000])
  func refusesOthers(_ size: Int) throws {
    try Self.withDirectory { directory in
      let own = try Self.make("own", 1, directory)
      let path = StandaloneBoard.directory(in: directory) + "/odd.1"
      try Data(repeating: 0xff, count: size).write(to: URL(fileURLWithPath: path))
      let file = try Descriptor.open(path, .readOnly)
      #expect(try file.tryLock(.exclusive))
      #expect(StandaloneBoard.readers(in: directory).isEmpty)
      own.remove()
    }
  }

  @Test("are not made in a directory that others may write")
  func refusesOpenDirectories() throws {
    try Self.withDirectory { directory in
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
      #expect(chmod(directory, 0o777) == 0)
      let isMade =
        switch StandaloneBoard.make(service: "hello", slotCount: 1, in: directory) {
        case .some: true
        case nil: false
        }
      #expect(!isMade)
    }
  }
}
