import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DescriptorMulticastTests {
  @Test(
    "hears its groups only, on the network of one interface, until it leaves; broadcasts with permission",
    .enabled(if: isRoot, "needs root for a network of its own"),
    .enabled(if: hasVirtualInterfaces, "this kernel makes no network of its own with veth interfaces"))
  func hearsItsGroups() throws { try ProbeProgram.check("multicast") }

  @Test("joins no address that is no group's")
  func joinsGroupsOnly() throws {
    let socket = try DatagramSocket(.ipv4(.loopback, port: 0))
    let version6 = try DatagramSocket(.ipv6(.loopback, port: 0))
    #expect(throws: socket.descriptor.failure("setsockopt", .invalidArgument)) {
      try socket.descriptor.join(.ipv4(.loopback))
    }
    #expect(throws: version6.descriptor.failure("setsockopt", .invalidArgument)) {
      try version6.descriptor.join(.ipv6(.loopback))
    }
  }
}
