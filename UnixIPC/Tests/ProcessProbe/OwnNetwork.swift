import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

/// What the C library has and Swift's view of it leaves out.
private let unshare = unsafeBitCast(dlsym(nil, "unshare"), to: (@convention(c) (CInt) -> CInt).self)
private let newNetwork: CInt = 0x4000_0000

private func run(_ commands: String) throws {
  let program = Program(
    path: "/bin/sh", arguments: ["-ec", commands], environment: ["PATH=/usr/sbin:/usr/bin:/bin"])
  try expectEqual(try program.spawn(descriptors: [0, 1, 2]).waitForExit(), .exited(code: 0), commands)
}

/// What comes next; nil when nothing comes soon.
private func next(_ socket: borrowing Descriptor, milliseconds: CInt) throws -> String? {
  guard socket.wait(for: .readable, until: Deadline(after: .milliseconds(milliseconds))) else { return nil }
  return try withUnsafeTemporaryAllocation(byteCount: 100, alignment: 1) { room in
    String(decoding: room[..<(try socket.receive(into: room))], as: UTF8.self)
  }
}

private func send(_ text: String, on socket: borrowing Descriptor) throws {
  _ = try Array(text.utf8).withUnsafeBytes { try socket.send($0) }
}

/// Moves this process into a network of its own with two interfaces, whose datagrams reach nobody else.
private func enterOwnNetwork() throws {
  try expect(unshare(newNetwork) == 0, "unshare: \(errno)")
  try run(
    """
    ip link set lo up
    for number in 1 2; do
      ip link add d$number type veth peer name e$number
      ip addr add 10.97.$number.1/24 brd 10.97.$number.255 dev d$number
      ip addr add fd97:$number::1/64 dev d$number nodad
      ip link set e$number up
      ip link set d$number up multicast on
    done
    """)
}

/// The network's own word that nobody has an address comes as soon as nobody answers for it.
func unreachableHostIsSaid(_ words: [String]) throws {
  try enterOwnNetwork()
  try run("cd /proc/sys/net/ipv4/neigh/d1; echo 1 >mcast_solicit; echo 50 >retrans_time_ms")
  let address = SocketAddress("10.97.1.9:13")!
  let outcomes = try DatagramInquiry(question: []).ask([address], until: Deadline(after: .seconds(20)))
  let failure = SystemCallError("recv", on: "\(address)", code: ErrorCode.noRouteToHost)
  try expectEqual(outcomes, [.failed(failure)], "a host that is not there")
}

/// Beside a silent address, two more that fail after a while: each failure lets the next begin immediately.
func failureLetsTheNextBegin(_ words: [String]) throws {
  try enterOwnNetwork()
  try run("cd /proc/sys/net/ipv4/neigh/d1; echo 1 >mcast_solicit; echo 50 >retrans_time_ms")
  let full = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 0)
  let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 8)
  guard let silent = try full.descriptor.localAddress().address,
    let listening = try listener.descriptor.localAddress().address
  else { throw Wrong(description: "no address") }
  let filler = try ClientSocket.connect(to: silent)
  let unreachable = [9, 10].map { SocketAddress("10.97.1.\($0):13")! }
  let began = SystemClock.monotonic()
  let connected = try ClientSocket.connect(
    toFirstOf: [silent] + unreachable + [listening], until: Deadline(after: .seconds(20)))
  let took = SystemClock.monotonic() - began
  try expectEqual(connected.address, listening, "the winner")
  try expect(filler.number >= 0 && took < 700_000_000, "\(took) ns: failures were waited for")
}

func groupsAreJoinedAndLeft(_ words: [String]) throws {
  try enterOwnNetwork()
  guard let interface = NetworkInterface(named: "d1"), let other = NetworkInterface(named: "d2") else {
    throw Wrong(description: "no interfaces")
  }
  try expect(NetworkInterface(named: "nosuch") == nil, "an interface that is none")
  try groupIsJoinedAndLeft(
    .ipv4(IPv4Address("239.1.2.3")!, interface: interface),
    other: .ipv4(IPv4Address("239.1.2.4")!, interface: interface),
    any: "0.0.0.0", address: "239.1.2.3", interface, wrong: other)
  try groupIsJoinedAndLeft(
    .ipv6(IPv6Address("ff15::97")!, interface: interface), other: .ipv6(IPv6Address("ff15::98")!, interface: interface),
    any: "[::]", address: "[ff15::97]", interface, wrong: other)
  try broadcastNeedsPermission()
}

private func groupIsJoinedAndLeft(
  _ group: MulticastGroup, other: MulticastGroup, any: String, address: String, _ interface: NetworkInterface,
  wrong: NetworkInterface
) throws {
  let member = try DatagramSocket(SocketAddress("\(any):0")!, options: BindOptions(reusesAddress: true))
  let port = try member.descriptor.localAddress().address?.port ?? 0
  let stranger = try DatagramSocket(SocketAddress("\(any):\(port)")!, options: BindOptions(reusesAddress: true))
  try member.descriptor.join(group)
  try stranger.descriptor.join(other)
  let again = failure { () throws(SystemCallError) in try member.descriptor.join(group) }
  try expectEqual(again?.code, .addressInUse, "joined twice")

  let target = SocketAddress("\(address):\(port)")!
  let family: AddressFamily = any == "[::]" ? .ipv6 : .ipv4
  let sender = try Descriptor.socket(family: family, kind: .datagram)
  try sender.setMulticastInterface(interface)
  try sender.setMulticastHops(0)
  try ClientSocket.connect(sender, to: target)
  try send("to the group", on: sender)
  try expectEqual(try next(member.descriptor, milliseconds: 20_000), "to the group", "\(address)")
  try expectEqual(try next(stranger.descriptor, milliseconds: 0), nil, "a member of another group")

  try sender.setMulticastLoop(false)
  try send("not here", on: sender)
  try sender.setMulticastLoop(true)
  try send("here", on: sender)
  try expectEqual(try next(member.descriptor, milliseconds: 20_000), "here", "after the loop was off")

  try sayFromPython(address, port, interface, to: member.descriptor)

  let elsewhere = try Descriptor.socket(family: family, kind: .datagram)
  try elsewhere.setMulticastInterface(wrong)
  try ClientSocket.connect(elsewhere, to: target)
  try send("on the other network", on: elsewhere)
  try send("here again", on: sender)
  try expectEqual(try next(member.descriptor, milliseconds: 20_000), "here again", "one network of two")

  try member.descriptor.leave(group)
  try send("too late", on: sender)
  try expectEqual(try next(member.descriptor, milliseconds: 50), nil, "after leaving")
  let twice = failure { () throws(SystemCallError) in try member.descriptor.leave(group) }
  try expectEqual(twice?.code, .addressNotAvailable, "left twice")
  for count in [-1, 256, 1 << 40] {
    let found = failure { () throws(SystemCallError) in try sender.setMulticastHops(count) }
    try expectEqual(found?.code, .invalidArgument, "\(count) hops")
  }
  try sender.setMulticastHops(255)
}

/// Another program's datagram, which must leave by the group's interface to be heard.
private func sayFromPython(
  _ address: String, _ port: UInt16, _ interface: NetworkInterface, to member: borrowing Descriptor
) throws {
  let host = address.filter { $0 != "[" && $0 != "]" }
  let script =
    """
    import socket, struct
    if ':' in '\(host)':
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, \(interface.index))
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack('4s4si', b'', b'', \(interface.index)))
    s.sendto(b'from python', ('\(host)', \(port)))
    """
  let program = Program(path: "/usr/bin/python3", arguments: ["-c", script])
  try expectEqual(try program.spawn(descriptors: [0, 1, 2]).waitForExit(), .exited(code: 0), "python3")
  try expectEqual(try next(member, milliseconds: 20_000), "from python", "of another program")
}

private func broadcastNeedsPermission() throws {
  let listener = try DatagramSocket(.ipv4(.any, port: 0))
  let port = try listener.descriptor.localAddress().address?.port ?? 0
  let target = SocketAddress("10.97.1.255:\(port)")!
  let sender = try Descriptor.socket(family: .ipv4, kind: .datagram)
  let refused = failure { () throws(SystemCallError) in try ClientSocket.connect(sender, to: target) }
  try expectEqual(refused?.code, .permissionDenied, "broadcast without permission")
  try sender.setBroadcast(true)
  try ClientSocket.connect(sender, to: target)
  try send("to all", on: sender)
  try expectEqual(try next(listener.descriptor, milliseconds: 20_000), "to all", "broadcast")
  try sender.setBroadcast(false)
  let late = failure { () throws(SystemCallError) in try ClientSocket.connect(sender, to: target) }
  try expectEqual(late?.code, .permissionDenied, "broadcast after it was taken back")
}
