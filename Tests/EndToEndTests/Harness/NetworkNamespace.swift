import Glibc
@_spi(Begat) import UnixCore

/// A network of the test's own, with a loopback interface and nothing else at first.
///
/// What runs inside `enter` sees it, and so do the programs that are started there; it is gone when they have ended.
///
/// Source: network_namespaces(7), setns(2).
final class NetworkNamespace {
  private let descriptor: Descriptor

  init() throws {
    let outside = try NetworkNamespace.current()
    guard LinuxCalls.unshare(LinuxCalls.network) == 0 else { throw HarnessFailure("unshare: errno \(errno)") }
    defer { NetworkNamespace.change(to: outside) }
    descriptor = try NetworkNamespace.current()
    try NetworkNamespace.configure("ip link set lo up")
  }

  /// A name by which other programs can open it.
  var path: String { "/proc/\(getpid())/fd/\(descriptor.number)" }

  /// Runs the body, which must not wait by `await`, in this network.
  @discardableResult
  func enter<Result>(_ body: () throws -> Result) throws -> Result {
    let outside = try NetworkNamespace.current()
    NetworkNamespace.change(to: descriptor)
    defer { NetworkNamespace.change(to: outside) }
    return try body()
  }

  /// Lets sockets of this network be bound to any address of an IPv6 network, and gets what is sent to it.
  func own(_ network: String) throws {
    try enter {
      try NetworkNamespace.configure(
        "ip -6 route add local \(network) dev lo && echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind")
    }
  }

  /// Joins two networks by a cable: 10.99.0.1 and fd99::1 as `left` here, 10.99.0.2 and fd99::2 as `right` there.
  func join(_ other: NetworkNamespace) throws {
    try enter {
      try NetworkNamespace.configure("ip link add left type veth peer name right netns \(other.path)")
      try NetworkNamespace.configure(NetworkNamespace.addresses("left", 1))
    }
    try other.enter { try NetworkNamespace.configure(NetworkNamespace.addresses("right", 2)) }
    // The kernel notices a moment later that the cable has both of its ends.
    for end in [self, other] {
      let isReady = try end.enter {
        try eventually {
          try RunningProgram.tool("ip", ["-6", "route", "show", "table", "all"]).output.text.contains("ff00::/8")
        }
      }
      guard isReady else { throw HarnessFailure("the interface has no IPv6 after 5 s") }
    }
  }

  private static func addresses(_ interface: String, _ number: Int) -> String {
    """
    ip addr add 10.99.0.\(number)/24 brd 10.99.0.255 dev \(interface) &&
    ip addr add fd99::\(number)/64 dev \(interface) nodad && ip link set \(interface) up
    """
  }

  /// Runs commands as a shell does, where the caller is.
  static func configure(_ commands: String) throws { _ = try RunningProgram.tool("sh", ["-c", commands]) }

  /// A counter of datagrams where the caller is, such as `OutDatagrams`, IPv4 and IPv6 together.
  ///
  /// Source: proc_net_snmp(5).
  static func datagrams(_ counter: String) throws -> Int {
    let version6 = try RunningProgram.tool("cat", ["/proc/thread-self/net/snmp6"]).output.lines
      .map { $0.split(whereSeparator: \.isWhitespace) }.first { $0.first == "Udp6\(counter)" }
    let rows = try RunningProgram.tool("cat", ["/proc/thread-self/net/snmp"]).output.lines(containing: "Udp:")
      .map { $0.split(separator: " ") }
    guard rows.count == 2, let column = rows[0].firstIndex(of: counter[...]), let version4 = Int(rows[1][column]),
      let version6 = version6?.last.flatMap({ Int($0) })
    else { throw HarnessFailure("no counter \(counter)") }
    return version4 + version6
  }

  private static func current() throws -> Descriptor {
    try Descriptor.open("/proc/thread-self/ns/net", .readOnly)
  }

  private static func change(to namespace: borrowing Descriptor) {
    // A test that went on in another network than it believes to be in would prove anything.
    guard LinuxCalls.setns(namespace.number, LinuxCalls.network) == 0 else { fatalError("setns: errno \(errno)") }
  }

  /// What the C library has and Swift's view of it leaves out.
  private enum LinuxCalls {
    static let network: CInt = 0x4000_0000  // CLONE_NEWNET
    static let unshare = find("unshare", as: (@convention(c) (CInt) -> CInt).self)
    static let setns = find("setns", as: (@convention(c) (CInt, CInt) -> CInt).self)

    private static func find<Function>(_ name: String, as type: Function.Type) -> Function {
      unsafeBitCast(dlsym(nil, name), to: type)
    }
  }
}
