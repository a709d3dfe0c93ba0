import Glibc
import Testing
@_spi(Begat) import UnixCore

/// begatd whose sockets, and whose listeners' second channels, a service manager keeps for the next one.
@Suite(.timeLimit(.minutes(30)))
struct DescriptorStoreTests {
  private func started(drainTimeout: String = "60s") throws -> StoringManager {
    let directory = try TemporaryDirectory()
    let manager = try StoringManager(in: directory)
    try manager.start(StoredServices.configuration(directory, drainTimeout: drainTimeout))
    return manager
  }

  /// One clients' row of each kind of service, and a connection of each that stays open, while begatd is replaced.
  private func expectNobodyIsLost(times: Int, _ replace: (StoringManager) throws -> Void) throws {
    let manager = try started()
    let before = manager.served.map { "\($0.service) \($0.address)" }
    let idle = try StoredServices.names.map { try IdleClient($0, manager) }
    let clients =
      try StoredServices.names.map { try EchoClients(2, at: manager.address($0)) }
      + [try EchoClients(2, at: manager.address("echo", datagram: true), isDatagram: true)]
    for _ in 0..<times {
      try replace(manager)
      for connection in idle {
        do { try connection.ask() } catch { throw HarnessFailure("\(connection.service): \(error)\n\(manager.log)") }
      }
    }
    let metrics = { try manager.begat("status", "--prometheus") }
    for (row, name) in zip(clients, StoredServices.names + ["datagrams"]) {
      let report = try row.stop()
      #expect(report.refused == 0 && report.lost.isEmpty, "\(name): \(report)\n\(manager.log)")
      #expect(report.served > times, "\(name): \(report)")
      // Those of the connection that stays open, of the clients, and none twice.
      let count = "begat_connections_accepted_total{service=\"\(name)\"} \(report.served + 1)\n"
      if name != "datagrams" { #expect(try eventually { try metrics().contains(count) }, "\(name) has not \(count)") }
    }
    #expect(manager.served.map { "\($0.service) \($0.address)" } == before, "\(manager.log)")
    let shown = try manager.connections()
    for connection in idle where connection.service != "unix" {
      let row = try #require(shown[connection.client.address()], "\(shown)\n\(manager.log)")
      #expect(row["service"] as? String == connection.service)
    }
    #expect(shown.count >= idle.count, "\(shown)")
    try manager.end()
  }

  @Test func nobodyIsLostByRestarts() throws { try expectNobodyIsLost(times: 5) { try $0.restart() } }

  @Test func nobodyIsLostByKills() throws { try expectNobodyIsLost(times: 5) { try $0.killAndStart() } }

  @Test func aReloadGivesTheAddressUpBeforeItAnswers() throws {
    let manager = try started()
    let address = try manager.address("cat")
    try manager.directory.write(StoredServices.withoutCat(manager.directory), to: "begatd.toml")
    let name = "begat-stream \(address.replacing(":", with: ";"))"
    #expect(manager.names.contains(name))
    let barriers = manager.count("BARRIER=1")
    try manager.begat("reload")
    #expect(!manager.names.contains(name))
    #expect(manager.count("BARRIER=1") == barriers + 1)
    #expect(eventually { (try? Client(address)) == nil })
    try manager.restart()
    #expect((try? Client(address)) == nil)
    try manager.end()
  }

  @Test func aDrainedServiceIsNotKept() throws {
    let manager = try started()
    let address = try manager.address("cat")
    let name = "begat-stream \(address.replacing(":", with: ";"))"
    try manager.begat("drain", "cat", "--wait")
    try manager.awaitNames { !$0.contains(name) }
    #expect((try? Client(address)) == nil)
    try manager.begat("resume", "cat")
    try manager.awaitNames { $0.contains(name) }
    #expect(try ask(address, "x") == Array("x".utf8))
    try manager.end()
  }

  @Test func aNewConfigurationGivesAddressesUpBeforeBegatdIsReady() throws {
    let manager = try started()
    let address = try manager.address("cat")
    let path = manager.directory.path("unix")
    try manager.restart(
      """
      [service.echo]
      serve = "echo"
      listen-stream = ["\(try manager.address("echo"))"]
      [service.again]
      serve = "time"
      listen-stream = ["0.0.0.0:\(address.split(separator: ":")[1])"]

      """)
    #expect(manager.served.map(\.service) == ["echo", "again"])
    #expect(try ask(address).count == 4)
    #expect((try? Client(path)) == nil)
    #expect(!manager.names.contains { $0.contains("unix") && $0.hasPrefix("begat-stream") }, "\(manager.names)")
    try manager.end()
  }

  @Test func aUnixSocketIsTakenOnlyWithItsOwnFile() throws {
    let manager = try started()
    let path = manager.directory.path("unix")
    try manager.stop()
    #expect(access(path, F_OK) == 0, "the file is to stay for the next begatd")
    unlink(path)
    try manager.start()
    #expect(try ask(path, "x") == Array("x".utf8), "\(manager.log)")
    // Another server's file is not taken away.
    try manager.stop()
    unlink(path)
    let other = try ListeningSocket(.unixPath(UnixPath(path)), backlog: 1)
    #expect(throws: HarnessFailure.self) { try manager.start() }
    #expect(manager.log.contains("another server is listening there"), "\(manager.log)")
    _ = consume other
    unlink(path)
    try manager.start()
    #expect(try ask(path, "x") == Array("x".utf8), "\(manager.log)")
    try manager.end()
  }

  @Test func keptSocketsGetTheOptionsOfTheNewConfiguration() throws {
    let manager = try started()
    let path = manager.directory.path("unix")
    let text = StoredServices.configuration(manager.directory)
    var facts = stat()
    #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o666)
    let inode = facts.st_ino
    try manager.restart(text.replacing("[service.unix]", with: "[service.unix]\nsocket-mode = \"0600\""))
    #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o600 && facts.st_ino == inode)
    try manager.end()
  }

  @Test func threeHundredAddressesAreKept() throws {
    let directory = try TemporaryDirectory()
    let manager = try StoringManager(in: directory)
    let addresses = Array(repeating: "\"127.0.0.1:0\"", count: 100).joined(separator: ", ")
    func service(_ number: Int) -> String {
      "[service.s\(number)]\nserve = \"echo\"\nrate-per-source = \"none\"\nlisten-stream = [\(addresses)]\n"
    }
    try manager.start((0..<3).map(service).joined())
    let before = manager.served.map { "\($0.service) \($0.address)" }
    #expect(Set(before).count == 300)
    // The document says which service has which of these addresses, whose ports the kernel chose.
    try manager.awaitNames { names in
      names.count { $0.hasPrefix("begat-stream ") } == 300 && names.contains { $0.hasPrefix("begat-state ") }
    }
    try manager.killAndStart()
    #expect(manager.served.map { "\($0.service) \($0.address)" }.sorted() == before.sorted())
    for served in manager.served { #expect(try ask(served.address, "x") == Array("x".utf8)) }
    try manager.restart()
    #expect(manager.served.map { "\($0.service) \($0.address)" }.sorted() == before.sorted())
    try manager.end()
  }

  @Test func socketsComeFirstWhereThereIsLittleRoom() throws {
    let directory = try TemporaryDirectory()
    let manager = try StoringManager(in: directory, capacity: 8)
    try manager.start(StoredServices.configuration(directory))
    try manager.awaitNames { $0.contains { $0.hasPrefix("begat-state ") } }
    #expect(manager.names.count { $0.hasPrefix("begat-stream ") || $0.hasPrefix("begat-datagram ") } == 5)
    #expect(manager.log.contains("raise FileDescriptorStoreMax="), "\(manager.log)")
    for _ in 0..<2 {
      try manager.restart()
      #expect(try ask(manager.address("cat"), "x") == Array("x".utf8))
    }
    #expect(manager.log.split(separator: "\n").count { $0.contains("raise FileDescriptorStoreMax=") } == 3)
    try manager.end()
  }

  @Test func aManagerThatDoesNotReadHoldsNothingUp() throws {
    let manager = try started()
    try manager.awaitNames { $0.contains { $0.hasPrefix("begat-channel relayed") } }
    manager.setReading(false)
    let address = try manager.address("cat")
    try manager.directory.write(StoredServices.withoutCat(manager.directory), to: "begatd.toml")
    let began = UnixCore.Deadline.now
    try manager.begat("reload")
    #expect(began.duration(to: .now) < .seconds(5))
    #expect(try ask(manager.address("echo"), "x") == Array("x".utf8))
    manager.setReading(true)
    try manager.awaitNames { !$0.contains("begat-stream \(address.replacing(":", with: ";"))") }
    try manager.end()
  }
}
