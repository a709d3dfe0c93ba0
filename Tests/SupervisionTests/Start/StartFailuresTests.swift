import Configuration
import Foundation
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// How begatd counts starts that fail, and what it does after each.
@Suite(.timeLimit(.minutes(30))) struct StartFailuresTests {
  @Test("the first failure waits for nothing, the next ones a second and twice as long each time, up to a minute")
  func delays() {
    var failures = StartFailures()
    #expect(failures.delay == .zero)
    var delays: [Duration] = []
    for _ in 0..<10 {
      _ = failures.add(["no"])
      delays.append(failures.delay)
    }
    #expect(delays == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
    for _ in 0..<2000 { _ = failures.add(["no"]) }
    #expect(failures.count == 1000 && failures.delay == .seconds(60))
  }

  @Test("knows the text of the last failure") func news() {
    var failures = StartFailures()
    let first = [failures.add(["a", "b"]), failures.add(["a", "b"])]
    #expect(first == [true, false])
    var next = StartFailures(parsing: failures.bytes)
    #expect(next == failures)
    let later = [next.add(["a", "b"]), next.add(["a"])]
    #expect(later == [false, true] && next.count == 4)
  }

  @Test(
    "damaged contents count as no failure, a hostile number as many",
    arguments: [
      ("", 0), ("7", 0), ("7 1", 0), ("7 zz\n", 0), ("-7 1\n", 0), ("7 1\n\n", 0), ("7  1\n", 0), ("\0\u{ff} 1\n", 0),
      ("99999999999999999999999 1\n", 0), ("7 11111111111111111111111111\n", 0), ("7 1\n", 7), ("4711 ff\n", 1000),
      (String(repeating: "0", count: 100) + "7 1\n", 0),
    ])
  func contents(text: String, count: Int) { #expect(StartFailures(parsing: Array(text.utf8)).count == count) }

  @Test("a file that is no file of begatd's is replaced, and nothing else is touched") func file() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "begat-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = StartFailureFile(path: directory.path + "/failures")
    #expect(file.read() == StartFailures())
    let victim = directory.path + "/victim"
    try "precious".write(toFile: victim, atomically: false, encoding: .utf8)
    try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: victim)
    #expect(file.read() == StartFailures())
    var failures = StartFailures()
    _ = failures.add(["no"])
    #expect(file.write(failures))
    #expect(file.read() == failures)
    #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
    file.remove()
    #expect(file.read() == StartFailures())
    try FileManager.default.createDirectory(atPath: file.path, withIntermediateDirectories: false)
    #expect(file.read() == StartFailures())
    #expect(!file.write(failures))
  }

  // MARK: Attempts

  /// The world outside, in which nothing takes time.
  private final class World {
    var said: [String] = []
    var notified: [String] = []
    var waits: [Duration] = []
    var ends: [StartAttempts.WaitEnd] = []
    let file: StartFailureFile

    init() { file = StartFailureFile(path: NSTemporaryDirectory() + "begat-failures-\(UInt64.random(in: 0 ... .max))") }

    deinit { file.remove() }

    func attempts(file: StartFailureFile? = nil) -> StartAttempts {
      StartAttempts(
        StartAttempts.Surroundings(
          file: file ?? self.file, say: { self.said.append($0) },
          wait: { message, limit, _ in
            self.notified.append(message)
            self.waits.append(limit)
            return self.ends.isEmpty ? .time : self.ends.removeFirst()
          }))
    }
  }

  private let version = ConfigurationVersion(file: "/nonexistent")

  /// Fails until the process exits.
  ///
  /// - Returns: how many attempts it has made.
  private func runToExit(_ world: World, _ lines: [String], isRepeatable: Bool) -> Int {
    var attempts = world.attempts()
    for count in 1... {
      let next = attempts.failed(lines, isRepeatable: isRepeatable, version)
      if next != .retry { return count }
    }
    return 0
  }

  @Test("a broken configuration costs one exit immediately, and one a minute after that") func configuration() {
    let world = World()
    #expect(runToExit(world, ["a:1: wrong", "a:2: wrong"], isRepeatable: true) == 1)
    #expect(world.waits == [] && world.said == ["a:1: wrong", "a:2: wrong"])
    #expect(runToExit(world, ["a:1: wrong", "a:2: wrong"], isRepeatable: true) == 7)
    #expect(world.waits.reduce(.zero, +) == .seconds(123))
    #expect(world.said.count == 3 && world.said.last == "a:1: wrong, and 1 more problem (start 8 in a row that fails)")
    world.waits = []
    #expect(runToExit(world, ["a:1: wrong", "a:2: wrong"], isRepeatable: true) == 1)
    #expect(world.waits == [.seconds(60)])
    #expect(world.said.count == 4)
    // Another fault is news.
    #expect(runToExit(world, ["a:3: wrong"], isRepeatable: true) == 1)
    #expect(world.said.last == "a:3: wrong" && world.said.count == 5)
  }

  @Test("what cannot be tried again in the process waits before the exit") func others() {
    let world = World()
    for delay in [0, 1, 2, 4, 8, 16, 32, 60, 60] {
      world.waits = []
      #expect(runToExit(world, ["bind: in use"], isRepeatable: false) == 1)
      #expect(world.waits == (delay == 0 ? [] : [.seconds(delay)]))
    }
    #expect(world.said.count == 9)
  }

  @Test("the manager hears why, and gives the time") func notifications() {
    let world = World()
    world.ends = [.stop]
    _ = runToExit(world, ["wrong"], isRepeatable: true)
    #expect(world.notified == [])
    _ = runToExit(world, ["wrong"], isRepeatable: true)
    #expect(
      world.notified == [
        "STATUS=does not start: wrong; tried again in 1s and when a file of the configuration is changed\n"
          + "EXTEND_TIMEOUT_USEC=31000000"
      ])
  }

  @Test("a change is tried immediately, and a stop ends the wait and begins anew") func ends() {
    let world = World()
    var attempts = world.attempts()
    world.ends = [.change, .change, .stop]
    let next = [true, true, false, true].map { attempts.failed(["x"], isRepeatable: $0, version) }
    #expect(next == [.exit, .retry, .exit, .stop])
    #expect(world.file.read() == StartFailures())
  }

  @Test("where nothing can be counted, every failure waits the longest time") func uncounted() {
    let world = World()
    var attempts = world.attempts(file: StartFailureFile(path: "/proc/begat/none"))
    let next = attempts.failed(["x"], isRepeatable: true, version)
    #expect(next == .exit && world.waits == [.seconds(60)])
  }

  @Test("long texts are cut") func summaries() {
    #expect(StartAttempts.summary(of: []) == "")
    #expect(StartAttempts.summary(of: ["a", "b", "c"]) == "a, and 2 more problems")
    #expect(StartAttempts.summary(of: [String(repeating: "x", count: 1000)]).count == 303)
  }
}
