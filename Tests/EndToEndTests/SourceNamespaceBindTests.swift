import Testing
@_spi(Begat) import UnixCore

/// Addresses that are not there yet, and interfaces.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "only root can make networks"))
struct SourceNamespaceBindTests {
  private func daytime(at addresses: String..., lines: String...) -> String {
    """
    [service.daytime]
    serve = "daytime"
    listen-stream = \(addresses)
    listen-datagram = \(addresses)
    \(lines.joined(separator: "\n"))

    """
  }

  @Test func anAddressMayComeLater() throws {
    try NetworkNamespace().enter {
      let configuration = daytime(
        at: "192.0.2.1:10013", "[2001:db8::1]:10013", "127.0.0.1:10013", lines: "free-bind = true")
      try withDaemon(configuration) { _ in
        #expect(Expected.isDaytime(try ask("127.0.0.1:10013")))
        try NetworkNamespace.configure("ip addr add 192.0.2.1/32 dev lo; ip addr add 2001:db8::1/128 dev lo nodad")
        for address in ["192.0.2.1:10013", "[2001:db8::1]:10013"] {
          #expect(Expected.isDaytime(try ask(address)))
          #expect(Expected.isDaytime(try DatagramClient.ask(address)))
        }
      }
    }
  }

  @Test(arguments: ["192.0.2.1:10013", "[2001:db8::1]:10013"])
  func withoutFreeBindItMustBeThere(address: String) throws {
    try NetworkNamespace().enter {
      try expectFailure(daytime(at: address), "bind \(address): Cannot assign requested address")
    }
  }

  @Test func onlyWhatComesThroughTheInterfaceIsTaken() throws {
    let (left, right) = (try NetworkNamespace(), try NetworkNamespace())
    try left.join(right)
    try left.enter {
      let configuration = daytime(at: "0.0.0.0:10013", "[::]:10013", lines: "bind-to-device = \"left\"")
      try withDaemon(configuration) { _ in
        for address in ["10.99.0.1:10013", "[fd99::1]:10013"] {
          let answers = try right.enter { [try ask(address), try DatagramClient.ask(address)] }
          #expect(answers.allSatisfy(Expected.isDaytime))
        }
        // For the kernel, who asks 10.99.0.1 here comes through its interface; who asks this address does not.
        #expect(throws: SystemCallError.self) { try Client("127.0.0.1:10013") }
      }
    }
  }

  @Test func theLoopbackInterfaceAloneIsTaken() throws {
    let (left, right) = (try NetworkNamespace(), try NetworkNamespace())
    try left.join(right)
    try left.enter {
      try withDaemon(daytime(at: "0.0.0.0:10013", lines: "bind-to-device = \"lo\"")) { _ in
        let answers = try [ask("127.0.0.1:10013"), DatagramClient.ask("127.0.0.1:10013")]
        #expect(answers.allSatisfy(Expected.isDaytime))
        #expect(throws: SystemCallError.self) { try right.enter { try Client("10.99.0.1:10013") } }
      }
    }
  }

  @Test func anInterfaceThatIsNotThereIsNamed() throws {
    try expectFailure(daytime(at: "127.0.0.1:0", lines: "bind-to-device = \"no-such-link\""), "no-such-link")
  }

  private func expectFailure(
    _ configuration: String, _ complaint: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(configuration, to: "begatd.toml")
    let begatd = try RunningProgram.run(try Programs.begatd(), ["--config", file])
    #expect(begatd.status != .exited(code: 0), sourceLocation: sourceLocation)
    #expect(begatd.errors.lines.allSatisfy { $0.hasPrefix("begatd: ") }, sourceLocation: sourceLocation)
    #expect(begatd.errors.text.contains(complaint), "\(begatd.errors.text)", sourceLocation: sourceLocation)
  }
}
