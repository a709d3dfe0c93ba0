import Testing
@_spi(Begat) import UnixCore

/// Users of this machine, as sources on Unix sockets.
@Suite(.serialized, .timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "only root can be several users"))
struct AdmissionUserTests {
  @Test(arguments: ["/", "@"])
  func eachHasASharedLimitOfItsOwn(at place: String) throws {
    try withDaemon(configuration) { daemon in
      let address = try daemon.address("command", place)
      let first = try CrowdOfUser(60, at: address, user: 50_001)
      let second = try CrowdOfUser(60, at: address, user: 50_002)
      #expect(first.served == 32 && second.served == 32)
      // On another socket of the service a user is the same one.
      let other = try daemon.address("command", place == "/" ? "@" : "/")
      #expect(try CrowdOfUser(5, at: other, user: 50_001).served == 0)
      #expect(try Crowd(40, at: address).served.count == 32)
      _ = try daemon.awaitConnections(64, of: "command")

      try first.hangUp()
      _ = try daemon.awaitConnections(32, of: "command")
      #expect(try CrowdOfUser(60, at: address, user: 50_001).served == 32)
      #expect(daemon.log.lines(containing: "max-connections-per-source (32) reached by user 50001").count == 1)
    }
  }

  @Test func placesAreGivenBackAfterKills() throws {
    try withDaemon(configuration) { daemon in
      let address = try daemon.address("command", "/")
      let crowd = try CrowdOfUser(32, at: address, user: 50_001)
      for process in try daemon.awaitConnections(32, of: "command") { try Signal.kill.send(to: process) }
      _ = try daemon.awaitConnections(0, of: "command")
      #expect(try CrowdOfUser(40, at: address, user: 50_001).served == 32)
      try crowd.hangUp()
    }
  }

  private func configuration(_ directory: TemporaryDirectory) -> String {
    """
    [service.command]
    serve = "command"
    listen-stream = ["\(directory.path("command.sock"))", "@\(directory.path)/command"]

    """
  }
}
