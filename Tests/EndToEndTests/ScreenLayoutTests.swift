import Foundation
import Testing
@_spi(Begat) import UnixCore

/// `begat top` as a person sees it, by tmux(1).
@Suite(.timeLimit(.minutes(30)))
struct ScreenLayoutTests {
  /// A terminal emulator without a window.
  private final class Emulator {
    private let directory: TemporaryDirectory
    private let socket: String

    init(columns: Int, rows: Int, _ command: [String], runtimeDirectory: String) throws {
      directory = try TemporaryDirectory()
      socket = directory.path("tmux")
      let shown = ["env", "RUNTIME_DIRECTORY=\(runtimeDirectory)"] + command
      try run(["-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)"] + shown)
    }

    deinit { _ = try? run(["kill-server"]) }

    @discardableResult
    private func run(_ words: [String]) throws -> [String] {
      let program = try RunningProgram.run(try Programs.tool("tmux"), ["-S", socket] + words)
      guard program.status == .exited(code: 0) else { throw HarnessFailure("tmux \(words): \(program.errors.text)") }
      return program.output.text.components(separatedBy: "\n").dropLast()
    }

    func send(_ keys: String...) throws { try run(["send-keys"] + keys) }
    func resize(columns: Int, rows: Int) throws { try run(["resize-window", "-x", "\(columns)", "-y", "\(rows)"]) }

    /// The screen when it is as it is expected to be.
    func screen(_ isExpected: ([String]) -> Bool) throws -> [String] {
      var lines: [String] = []
      let isMet = try eventually(within: .seconds(20)) {
        lines = try run(["capture-pane", "-p"])
        return isExpected(lines)
      }
      guard isMet else { throw HarnessFailure("the screen is\n\(lines.joined(separator: "\n"))") }
      return lines
    }
  }

  @Test(arguments: [(80, 24), (200, 50)])
  func topFillsTheScreen(columns: Int, rows: Int) throws {
    let text =
      SampleConfiguration.service("echo", "max-connections = 100", "max-connections-per-source = 100")
      + SampleConfiguration.service("time")
    try withDaemon(text) { daemon in
      let clients = try (0..<60).map { _ in try Client(try daemon.address("echo")) }
      for client in clients {
        try client.send("abc")
        _ = try client.receive(count: 3)
      }
      let emulator = try Emulator(
        columns: columns, rows: rows, [try Programs.begat(), "top"], runtimeDirectory: daemon.directory.path("run"))
      let screen = try emulator.screen { $0.last?.contains(" of 60") == true }
      #expect(screen.count == rows && screen.allSatisfy { $0.count <= columns })
      #expect(screen[0].hasPrefix("begatd ") && screen[0].contains("2 services  60 open"))
      #expect(screen[1].hasPrefix("SERVICE ") && screen[1].contains(" AGE ") == (columns == 200))
      #expect(screen[2].split(separator: " ").prefix(3) == ["echo", "serving", "60/100"])
      #expect(screen[5].split(separator: " ").prefix(3) == ["ID", "PID", "PEER"])
      let row = screen[6].split(separator: " ").map(String.init)
      #expect(row[0].hasPrefix("echo/1.") && row[2].hasPrefix("127.0.0.1:") && row.suffix(3) == ["3", "3", "client"])
      #expect(screen[rows - 2].hasPrefix("echo/1."))
      try emulator.send("End")
      let end = try emulator.screen { $0.last?.contains("-60 of 60") == true }
      #expect(end[rows - 2].hasPrefix("echo/1.59."))
      try emulator.resize(columns: 120, rows: 30)
      _ = try emulator.screen { $0.count == 30 && $0.last?.contains("-60 of 60") == true }
      try emulator.send("/", "echo/1.7.", "Enter")
      let filtered = try emulator.screen { $0.last?.hasSuffix("1-1 of 1") == true }
      #expect(filtered[29].hasPrefix("filter: echo/1.7.  Escape clears it"))
      #expect(filtered[6].hasPrefix("echo/1.7.") && filtered[7] == "")
    }
  }

  @Test func watchMovesInLongTables() throws {
    try withDaemon(SampleConfiguration.service("echo")) { daemon in
      let clients = try (0..<30).map { _ in try Client(try daemon.address("echo")) }
      for client in clients {
        try client.send("abc")
        _ = try client.receive(count: 3)
      }
      let emulator = try Emulator(
        columns: 80, rows: 10, [try Programs.begat(), "ps", "--watch=200ms", "--sort", "age"],
        runtimeDirectory: daemon.directory.path("run"))
      let first = try emulator.screen { $0.last?.contains("lines 1 to 9 of 31") == true }
      #expect(first[0].hasPrefix("ID ") && first[1].hasPrefix("echo/1.0."))
      try emulator.send("NPage", "Down")
      _ = try emulator.screen { $0.last?.contains("lines 11 to 19 of 31") == true }
      clients[0].hangUp()
      _ = try emulator.screen { $0.last?.contains("of 30") == true }
      try emulator.send("End")
      #expect(try emulator.screen { $0.last?.contains("to 30 of 30") == true }[8].hasPrefix("echo/1.29."))
    }
  }
}
