import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Listeners without begatd, as `begat status` and `begat ps` show them.
@Suite(.timeLimit(.minutes(30)))
struct StandaloneBoardTests {
  /// A begat-listener that runs by itself in a runtime directory of the test's.
  private static func listener(_ directory: TemporaryDirectory, name: String) throws -> (RunningProgram, String) {
    let program = try RunningProgram(
      try Programs.listener(), ["--serve", "command", "--name", name, "--listen-stream", "127.0.0.1:0"],
      environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
    let line = try program.errors.awaitLines(containing: ": ready on ")[0]
    return (program, String(line.split(separator: " ").last ?? ""))
  }

  private static func begat(_ directory: TemporaryDirectory, _ words: String...) throws -> RunningProgram {
    try RunningProgram.run(
      try Programs.begat(), words, environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
  }

  private static func rows(_ directory: TemporaryDirectory) throws -> [[String: Any]] {
    let answer = try json(try begat(directory, "status", "--json"), as: [String: Any].self)
    #expect(answer["begatd"] is NSNull)
    return try #require(answer["services"] as? [[String: Any]])
  }

  @Test func areSeenWithTheirConnections() throws {
    let directory = try TemporaryDirectory()
    let (program, address) = try Self.listener(directory, name: "alone")
    let client = try Client(address)
    _ = try client.receive(until: Expected.prompt)
    let row = try #require(try Self.rows(directory).first)
    #expect(row["name"] as? String == "alone" && row["standalone"] as? Bool == true)
    #expect(row["state"] as? String == "serving" && row["active"] as? Int == 1 && row["accepted"] as? Int == 1)
    #expect((row["addresses"] as? [[String: String]])?.first?["address"] == address)
    #expect(try Self.begat(directory, "status").output.text.contains("alone"))

    let answer = try json(try Self.begat(directory, "ps", "alone", "--json"), as: [String: Any].self)
    let connection = try #require((answer["connections"] as? [[String: Any]])?.first)
    #expect(connection["peer"] as? String == (try client.address()))
    #expect(connection["listener"] as? Int == Int(program.process))
    #expect((connection["id"] as? String)?.hasPrefix("alone/\(program.process).0.") == true)

    // It drains, and is shown until it has ended.
    try program.send(.terminate)
    #expect(try eventually { try Self.rows(directory).first?["state"] as? String == "draining" })
    client.hangUp()
    #expect(try program.awaitEnd() == .exited(code: 0))
    #expect(try Self.begat(directory, "status", "--json").status != .exited(code: 0))
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path("run/listeners")) == [])
  }

  @Test func areGoneWhenTheyWereKilled() throws {
    let directory = try TemporaryDirectory()
    let (killed, _) = try Self.listener(directory, name: "killed")
    let (program, _) = try Self.listener(directory, name: "alive")
    #expect(try Self.rows(directory).count == 2)
    try killed.send(.kill)
    _ = try killed.awaitEnd()
    #expect(try Self.rows(directory).map { $0["name"] as? String } == ["alive"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.path("run/listeners")) == [
        "alive.\(program.process)"
      ])
    try program.send(.terminate)
    _ = try program.awaitEnd()
  }

  @Test func serveWhereNoFileCanBeMade() throws {
    let directory = try TemporaryDirectory()
    _ = try directory.write("no directory", to: "run")
    let (program, address) = try Self.listener(directory, name: "alone")
    let client = try Client(address)
    _ = try client.receive(until: Expected.prompt)
    client.hangUp()
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0))
  }

  @Test func standBesideBegatdsServices() throws {
    try withDaemon(SampleConfiguration.service("time")) { daemon in
      let (program, address) = try Self.listener(daemon.directory, name: "alone")
      let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      let rows = try #require(answer["services"] as? [[String: Any]])
      #expect(answer["begatd"] is [String: Any])
      #expect(rows.map { $0["name"] as? String } == ["time", "alone"])
      let client = try Client(address)
      _ = try client.receive(until: Expected.prompt)
      for words in [["ps"], ["ps", "alone"]] {
        let list = try json(
          try RunningProgram.run(
            try Programs.begat(), words + ["--json"],
            environment: ["RUNTIME_DIRECTORY=\(daemon.directory.path("run"))"]), as: [String: Any].self)
        #expect((list["connections"] as? [[String: Any]])?.count == 1, "\(words)")
      }
      #expect(try daemon.begat("ps", "nothing").status == .exited(code: 64))
      client.hangUp()
      try program.send(.terminate)
      _ = try program.awaitEnd()
    }
  }

  @Test("of any content are shown, and harm no command", arguments: [0xff, 0x80, 0x7f] as [UInt8])
  func areNotBelieved(byte: UInt8) throws {
    let directory = try TemporaryDirectory()
    let (program, _) = try Self.listener(directory, name: "alone")
    let file = directory.path("run/listeners/alone.\(program.process)")
    var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
    // Only the head of its layout is as it must be: magic number, version and size of a slot.
    for index in 8..<bytes.count { bytes[index] = byte }
    // Two of them: counts of services are summed up.
    var locked: [CInt] = []
    defer { for number in locked { close(number) } }
    for name in ["odd.1", "odd.2"] {
      let path = directory.path("run/listeners/\(name)")
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let copy = try Descriptor.open(path, .readOnly)
      #expect(try copy.tryLock(.exclusive))
      locked.append(copy.release())
    }
    for words in [["status"], ["status", "--json"], ["status", "--prometheus"], ["ps"], ["ps", "--json"]] {
      let answer = try RunningProgram.run(
        try Programs.begat(), words, environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
      #expect(answer.status == .exited(code: 0), "\(words): \(answer.errors.text)")
    }
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0))
  }
}
