import Glibc
import Testing
@_spi(Begat) import UnixCore

/// What a begatd finds in the store is damaged, strange, or a part of what it should be: it starts all the same.
@Suite(.timeLimit(.minutes(30)))
struct StoredStateFaultTests {
  private static let documents: [(name: String, text: String)] = [
    ("empty", ""), ("no JSON", "begat"), ("cut", "{\"format\":1,\"sockets\":[{\"name\""), ("an array", "[]"),
    ("a newer format", "{\"format\":2}"), ("no format", "{\"process\":1}"),
    ("other types", "{\"format\":1,\"bans\":[]}"),
    ("deep", String(repeating: "[", count: 100_000)),
    (
      "strange numbers",
      """
      {"format":1,"program":"x","bans":3,"sockets":[],"service-numbers":[{"service":"echo","number":0},\
      {"service":"cat","number":4294967295}],"services":[{"name":"echo","last-generation":1,"drained":false,\
      "log-address":"full","waits":false,"totals":{},"generations":[{"number":1,"process":1,"column":3,\
      "slots":99999999,"state":"accepting","started":-5,"ready-since":null,"records-received":7,"shows-state":true,\
      "sockets":[]}]}]}
      """
    ),
  ]

  @Test func aStateThatCannotBeReadIsSaidAndLeftOut() throws {
    for (name, text) in Self.documents {
      let directory = try TemporaryDirectory()
      let manager = try StoringManager(in: directory)
      try manager.start(StoredServices.configuration(directory))
      try manager.awaitNames { $0.contains { $0.hasPrefix("begat-channel relayed") } }
      let idle = try IdleClient("echo", manager)
      try manager.daemon.kill()
      let file = try MemoryFile.create(name: "state", size: text.utf8.count)
      try file.writeAll(text)
      manager.remove { $0.hasPrefix("begat-state ") }
      manager.replace("begat-state 99", by: file)
      try manager.start()
      try idle.ask()
      for service in StoredServices.names {
        #expect(try ask(manager.address(service), "x") == Array("x".utf8), "\(name): \(manager.log)")
      }
      if name != "strange numbers" {
        #expect(try manager.daemon.errors.text.contains("begat-state 99: "), "\(name): \(manager.log)")
      }
      // What is left is consistent again.
      try manager.restart()
      #expect(try !manager.daemon.errors.text.contains("begat-state"), "\(name): \(manager.log)")
      try idle.ask()
      try manager.end()
    }
  }

  @Test func descriptorsOfOtherKindsAreLeftOut() throws {
    let names = [
      "begat-stream 127.0.0.1;1", "begat-datagram 127.0.0.1;1", "begat-state 7", "begat-bans 1", "begat-book echo",
      "begat-board echo 1", "begat-channel echo 1", "begat-first-channel echo 1", "begat-unknown x", "begat- ",
      "begat-x",
    ]
    for isPipe in [true, false] {
      let directory = try TemporaryDirectory()
      let manager = try StoringManager(in: directory)
      for name in names {
        if isPipe {
          let pipe = try PipeEnds()
          manager.replace(name, by: pipe.readEnd)
        } else {
          manager.replace(name, by: try MemoryFile.create(name: "strange", size: 10))
        }
      }
      try manager.start(StoredServices.configuration(directory))
      try manager.awaitNames { names in !names.contains { $0.hasPrefix("begat-unknown") } }
      for service in StoredServices.names {
        #expect(try ask(manager.address(service), "x") == Array("x".utf8), "\(manager.log)")
      }
      try manager.end()
    }
  }

  /// begatd is killed between any two of its messages to the manager, at its start and when it takes over.
  @Test(arguments: [false, true]) func anyPartOfTheMessagesIsEnough(isSecondStart: Bool) throws {
    let configuration = { (directory: TemporaryDirectory) in
      """
      [service.echo]
      serve = "echo"
      rate-per-source = "none"
      listen-stream = ["127.0.0.1:0", "\(directory.path("unix"))"]
      listen-datagram = ["127.0.0.1:0"]
      allow = ["127.0.0.0/8", "unix:*"]

      """
    }
    var count = 0
    while count < 40 {
      let directory = try TemporaryDirectory()
      let manager = try StoringManager(in: directory)
      if isSecondStart { try manager.start(configuration(directory)) }
      let idle = isSecondStart ? try IdleClient("echo", manager) : nil
      if isSecondStart {
        try manager.awaitNames { $0.contains { $0.hasPrefix("begat-board") } }
        try manager.daemon.kill()
      }
      let before = manager.count("FDSTORE=1") + manager.count("FDSTOREREMOVE=1")
      manager.obey(only: count)
      try manager.start(configuration(directory))
      _ = eventually(within: .milliseconds(200)) { manager.names.contains { $0.hasPrefix("begat-board") } }
      try manager.daemon.kill()
      manager.obey(only: nil)
      let sent = manager.count("FDSTORE=1") + manager.count("FDSTOREREMOVE=1") - before
      try manager.start()
      do { try idle?.ask() } catch { throw HarnessFailure("after \(count) messages: \(error)\n\(manager.log)") }
      for served in manager.served where !served.isDatagram {
        #expect(try ask(served.address, "x") == Array("x".utf8), "after \(count) messages: \(manager.log)")
      }
      try manager.restart()
      try idle?.ask()
      #expect(try ask(directory.path("unix"), "x") == Array("x".utf8), "after \(count) messages: \(manager.log)")
      try manager.end()
      // Messages of other kinds count as well.
      if count > sent + 6 { return }
      count += 1
    }
    Issue.record("more messages than a small configuration has")
  }
}
