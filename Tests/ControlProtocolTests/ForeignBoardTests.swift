import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

/// Scoreboards of another user's listeners, who may do anything with the files.
@Suite(.enabled(if: geteuid() == 0, "needs a process and files of another user"))
struct ForeignBoardTests {
  /// A user that no machine has.
  private static let user: uid_t = 61_234

  /// A runtime directory of that user's.
  private struct Place {
    let runtime: String
    /// A process of the user's.
    let process: pid_t
    var listeners: String { StandaloneBoard.directory(in: runtime) }
    var file: String { "\(listeners)/alien.\(getpid())" }
    var readers: [ScoreboardReader] { StandaloneBoard.readers(in: runtime) }

    func give(_ path: String) { #expect(lchown(path, user, user) == 0) }
  }

  /// Runs a test with a scoreboard in such a directory.
  private static func withBoard(_ body: (Place, borrowing Scoreboard) throws -> Void) throws {
    let runtime = NSTemporaryDirectory() + "begat-alien-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: runtime) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
    process.arguments = ["--reuid=\(user)", "--regid=\(user)", "--clear-groups", "sleep", "1000"]
    // The runner would wait for the end of a process that has its standard streams.
    (process.standardInput, process.standardOutput, process.standardError) = (
      FileHandle.nullDevice, FileHandle.nullDevice, FileHandle.nullDevice
    )
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let place = Place(runtime: runtime, process: process.processIdentifier)
    switch StandaloneBoard.make(service: "alien", slotCount: 2, in: runtime) {
    case nil: throw SystemCallError("open", on: runtime, code: .permissionDenied)
    case .some(let file):
      let board = try Scoreboard(file.object, service: "alien", slotCount: 2)
      board.header.pointee.listener_pid = place.process
      board.slot(1).pointee.pid = 7
      for path in [runtime, place.listeners, place.file] { place.give(path) }
      // It becomes that user a moment after its start.
      let end = Deadline(after: .seconds(10))
      while place.readers.isEmpty, !end.hasPassed { sched_yield() }
      try body(place, board)
    }
  }

  @Test("are seen, as a copy that stays readable when the file is cut short")
  func areSeen() throws {
    try Self.withBoard { place, board in
      let reader = try #require(place.readers.first)
      #expect(reader.service.isWord("alien") && reader.slotCount == 2 && reader.listener == place.process)
      board.countAccepted(now: SystemClock.monotonic())
      #expect(place.readers.first?.counters.accepted == 1)
      #expect(truncate(place.file, 0) == 0)
      #expect(reader.slot(1).pid == 7 && reader.counters.accepted == 0)
      #expect(place.readers.isEmpty)
      // Otherwise the mapping of this test would end it.
      #expect(truncate(place.file, off_t(Scoreboard.size(slotCount: 2))) == 0)
    }
  }

  @Test("are not seen if they name a process of another user's")
  func namesAnother() throws {
    try Self.withBoard { place, board in
      for process in [getpid(), 1, 0, -1, pid_t.max] {
        board.header.pointee.listener_pid = process
        #expect(place.readers.isEmpty, "\(process)")
      }
    }
  }

  @Test("are read only from regular files of that user's, and nothing is removed")
  func otherFiles() throws {
    try Self.withBoard { place, _ in
      let elsewhere = place.runtime + "/elsewhere"
      try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: false)
      try FileManager.default.moveItem(atPath: place.file, toPath: elsewhere + "/board")
      // Neither a FIFO without a writer, nor a link, nor a file of another user's, nor one without a lock.
      let path = place.listeners
      let (fifo, link, roots, dead) = (path + "/a-fifo", path + "/a-link", path + "/a-root", path + "/a-dead")
      #expect(mkfifo(fifo, 0o600) == 0)
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: elsewhere + "/board")
      let bytes = try Data(contentsOf: URL(fileURLWithPath: elsewhere + "/board"))
      for path in [roots, dead] { try bytes.write(to: URL(fileURLWithPath: path)) }
      for path in [fifo, link, dead] { place.give(path) }
      let locked = try Descriptor.open(roots, .readOnly)
      #expect(try locked.tryLock(.exclusive))
      #expect(place.readers.isEmpty)
      let names = try FileManager.default.contentsOfDirectory(atPath: place.listeners)
      #expect(names.sorted() == ["a-dead", "a-fifo", "a-link", "a-root"])
    }
  }

  @Test("are not looked for behind a link, where files of root's could be removed")
  func linkedDirectory() throws {
    try Self.withBoard { place, _ in
      let elsewhere = NSTemporaryDirectory() + "begat-victim-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: elsewhere) }
      try FileManager.default.moveItem(atPath: place.listeners, toPath: elsewhere)
      try Data([1]).write(to: URL(fileURLWithPath: elsewhere + "/precious"))
      try FileManager.default.createSymbolicLink(atPath: place.listeners, withDestinationPath: elsewhere)
      place.give(place.listeners)
      #expect(place.readers.isEmpty)
      // The same with a directory that is root's, under a name that is not.
      #expect(unlink(place.listeners) == 0)
      #expect(lchown(elsewhere, 0, 0) == 0)
      try FileManager.default.moveItem(atPath: elsewhere, toPath: place.listeners)
      #expect(place.readers.isEmpty)
      #expect(access(place.listeners + "/precious", F_OK) == 0)
      try FileManager.default.moveItem(atPath: place.listeners, toPath: elsewhere)
    }
  }

  @Test("are looked for in the runtime directories of units")
  func unitDirectories() throws {
    let directory = NSTemporaryDirectory() + "begat-units-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(StandaloneBoard.runtimeDirectories(below: directory).isEmpty)
    for name in ["time", "echo"] {
      try FileManager.default.createDirectory(atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
    }
    #expect(StandaloneBoard.runtimeDirectories(below: directory) == ["\(directory)/echo", "\(directory)/time"])
  }
}
