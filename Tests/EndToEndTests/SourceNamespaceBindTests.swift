import Glibc
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

  @Test("is said to need a newer kernel where begatd lacks CAP_NET_RAW")
  func anOldKernelForbidsInterfaces() throws {
    let kernel = try TestPrograms.kernel(without: ["setsockopt:2=25"], error: EPERM)
    let configuration = daytime(at: "127.0.0.1:0", lines: "bind-to-device = \"lo\"")
    try expectFailure(
      configuration, "bind-to-device lo: Operation not permitted; before Linux 5.7 this needs CAP_NET_RAW",
      wrapper: kernel)
  }

  @Test(
    "says that a socket with an interface cannot refuse clients when it is given up, and that it keeps its interface")
  func anInterfaceStays() throws {
    try NetworkNamespace().enter {
      let bound = { (device: String) in daytime(at: "127.0.0.1:10013", lines: "bind-to-device = \"\(device)\"") }
      let other = SampleConfiguration.service("echo")
      try withDaemon(bound("lo") + other) { daemon in
        try NetworkNamespace.configure("ip link add other type veth peer name another")
        #expect(try daemon.reload(bound("other") + other).contains("reload refused"))
        let refusal = daemon.log.lines(containing: "setsockopt SO_BINDTODEVICE other: Operation not permitted")
        #expect(refusal.count == 1 && refusal[0].contains("begatd can change it when it starts"), "\(daemon.log.text)")
        #expect(Expected.isDaytime(try ask("127.0.0.1:10013")))
        try daemon.reload(other)
        let givenUp = daemon.log.lines(containing: "takes new clients until it is closed")
        #expect(givenUp.count == 1 && givenUp[0].contains("daytime: 127.0.0.1:10013 takes"), "\(daemon.log.text)")
        #expect(eventually { (try? Client("127.0.0.1:10013")) == nil })
      }
    }
  }

  private func expectFailure(
    _ configuration: String, _ complaint: String, wrapper: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(configuration, to: "begatd.toml")
    let words = wrapper + [try Programs.begatd(), "--config", file]
    let begatd = try RunningProgram.run(words[0], Array(words.dropFirst()))
    #expect(begatd.status != .exited(code: 0), sourceLocation: sourceLocation)
    #expect(begatd.errors.lines.allSatisfy { $0.hasPrefix("begatd: ") }, sourceLocation: sourceLocation)
    #expect(begatd.errors.text.contains(complaint), "\(begatd.errors.text)", sourceLocation: sourceLocation)
  }
}
