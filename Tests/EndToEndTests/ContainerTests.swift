import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// begatd and a listener by itself where much is missing: address families, rights, places to write.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "needs root for namespaces"))
struct ContainerTests {
  // MARK: Address families

  private static let both = "listen-stream = [\"127.0.0.1:0\", \"[::1]:0\"]"

  private func service(_ name: String, _ addresses: String = both) -> String {
    "[service.\(name)]\nserve = \"\(name)\"\n\(addresses)\n"
  }

  /// A network in which one family has no address.
  private func network(without family: String) throws -> NetworkNamespace {
    let network = try NetworkNamespace()
    try network.enter {
      let script =
        family == "IPv6"
        ? "for name in all lo; do echo 1 >/proc/sys/net/ipv6/conf/$name/disable_ipv6; done"
        : "ip addr del 127.0.0.1/8 dev lo"
      _ = try RunningProgram.tool("sh", ["-c", script])
    }
    return network
  }

  @Test("a loopback address that is missing is a warning, and the rest is served", arguments: ["IPv6", "IPv4"])
  func missingAddress(family: String) throws {
    try network(without: family).enter {
      let missing = family == "IPv6" ? "[::1]:0" : "127.0.0.1:0"
      let text = service("echo") + service("time", "listen-datagram = [\"127.0.0.1:0\", \"[::1]:0\"]")
      try withDaemon(text) { daemon in
        #expect(daemon.served.count == 2 && !daemon.served.contains { $0.address.hasPrefix(missing.dropLast(1)) })
        for name in ["echo", "time"] {
          let line = "\(name): \(missing): this machine lacks the address or its family; served without it"
          #expect(daemon.log.lines(containing: line).count == 1, "\(daemon.log.text)")
        }
        try expect("here", from: daemon, "echo", asking: "here")
      }
    }
  }

  @Test("a service that has no address left is inactive, and if it is the only one, begatd does not start")
  func nothingLeft() throws {
    try network(without: "IPv6").enter {
      let lonely = service("echo", "listen-stream = \"[::1]:0\"")
      try withDaemon(lonely + service("time")) { daemon in
        #expect(daemon.served.map(\.service) == ["time"])
        #expect(daemon.log.lines(containing: "echo: inactive: this machine has none of its addresses").count == 1)
      }
      let text = try refusal(lonely)
      #expect(text.contains("[::1]:0: this machine lacks the address"), "\(text)")
      #expect(text.contains("no service to offer: this machine has none of their addresses"), "\(text)")
    }
  }

  @Test("an address of another machine stays an error")
  func foreignAddress() throws {
    try network(without: "IPv6").enter {
      let text = try refusal(service("echo", "listen-stream = [\"127.0.0.1:0\", \"192.0.2.1:7\"]"))
      #expect(text.contains("bind 192.0.2.1:7: Cannot assign requested address"), "\(text)")
    }
  }

  @Test("a family that a filter forbids is a warning that names the address")
  func forbiddenFamily() throws {
    let kernel = try TestPrograms.kernel(without: ["socket:0=10"], error: EAFNOSUPPORT)
    try withDaemon(service("echo", "listen-stream = [\"127.0.0.1:0\", \"[2001:db8::1]:7\"]"), wrapper: kernel) {
      daemon in
      #expect(daemon.log.lines(containing: "[2001:db8::1]:7: this machine lacks the address or its family").count == 1)
      try expect("here", from: daemon, "echo", asking: "here")
    }
  }

  @Test("a listener by itself does the same")
  func missingAddressOfAListener() throws {
    try network(without: "IPv6").enter {
      let addresses = ["--listen-stream", "127.0.0.1:0", "--listen-stream", "[::1]:0"]
      let listener = try StandaloneListener("echo", addresses)
      #expect(listener.addresses.count == 1)
      #expect(listener.program.errors.lines(containing: "echo: [::1]:0: this machine lacks the address").count == 1)
      #expect(try ask(listener.address, "here") == Array("here".utf8))
      try listener.stop()
      let none = try RunningProgram.run(
        try Programs.listener(), ["--serve", "echo", "--listen-stream", "[::1]:0"])
      #expect(none.status == .exited(code: 1))
      #expect(none.errors.lines.count == 1 && none.errors.text.contains("no address to serve: [::1]:0: this machine"))
    }
  }

  // MARK: The first process

  /// Becomes the first process of a namespace of processes with two dead children, and executes its arguments.
  private static let firstProcess = [
    "--pid", "--fork", "--mount-proc", "--kill-child", "/bin/sh", "-c", "true & true & exec \"$0\" \"$@\"",
  ]

  private func expectNoZombie(below unshare: RunningProgram, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let first = try #require(ProcessFacts.children(of: unshare.process).first)
    #expect(
      eventually { !ProcessFacts.descendants(of: first.process).contains(where: \.isZombie) },
      "\(ProcessFacts.descendants(of: first.process))", sourceLocation: sourceLocation)
    try Signal.terminate.send(to: first.process)
    #expect(try unshare.awaitEnd() == .exited(code: 0), sourceLocation: sourceLocation)
  }

  @Test("begatd as the first process reaps children that were dead before it began")
  func deadChildrenOfBegatd() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(service("time"), to: "begatd.toml")
    let unshare = try RunningProgram(
      try Programs.tool("unshare"), Self.firstProcess + [try Programs.begatd(), "--config", file])
    try unshare.errors.awaitLines(containing: "is ready")
    try expectNoZombie(below: unshare)
  }

  @Test("begatd as the first process reaps orphans that end with the child of an upgrade")
  func deadChildrenOfATrial() throws {
    let installation = try Installation()
    let file = try installation.directory.write(service("time"), to: "begatd.toml")
    let unshare = try RunningProgram(
      try Programs.tool("unshare"), Self.firstProcess + [installation.begatd, "--config", file],
      environment: ["RUNTIME_DIRECTORY=\(installation.directory.path("run"))"])
    try unshare.errors.awaitLines(containing: "is ready")
    // Its own children end before it, and it reaps none.
    try installation.replaceBegatd(by: "#!/bin/sh\ntrue & true & exec sleep 0.2\n")
    #expect(try installation.upgrade().status == .exited(code: 1))
    try expectNoZombie(below: unshare)
  }

  @Test("a listener by itself as the first process reaps them and orphans", arguments: [false, true])
  func deadChildrenOfAListener(isProgram: Bool) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("socket")
    let orphan = try directory.write("#!/bin/sh\n(setsid true &)\necho ok\n", to: "orphan", mode: 0o755)
    let offer = isProgram ? ["--", orphan] : ["--serve", "daytime"]
    let unshare = try RunningProgram(
      try Programs.tool("unshare"),
      Self.firstProcess + [try Programs.listener(), "--listen-stream", path]
        + (isProgram ? offer : Array(offer)))
    try unshare.errors.awaitLines(containing: "ready on")
    for _ in 0..<10 { #expect(!(try ask(path)).isEmpty) }
    try expectNoZombie(below: unshare)
  }

  // MARK: Nowhere to write

  /// Executes its arguments where every file system is read-only, as a user without an entry.
  private func readOnly(user: String, group: String) throws -> [String] {
    let script = """
      mount --make-rprivate / || exit 99
      mount -t tmpfs -o ro none /tmp; mount -t tmpfs -o ro none /run
      findmnt -rno TARGET -t nosysfs,noproc,nocgroup,nocgroup2,notmpfs,nodevpts,nomqueue | while read target; do
        mount -o remount,bind,ro "$target" 2>/dev/null
      done
      unset RUNTIME_DIRECTORY STATE_DIRECTORY
      exec setpriv --reuid=\(user) --regid=\(group) --clear-groups --inh-caps=-all --bounding-set=-all "$0" "$@"
      """
    return [try Programs.tool("unshare"), "-m", try Programs.tool("sh"), "-c", script]
  }

  /// Runs begatd with a configuration on its standard input's descriptor, because no file of the test's is visible.
  private func start(_ configuration: String, _ wrapper: [String]) throws -> RunningProgram {
    let file = "/var/tmp/begat-container-\(UInt32.random(in: 0 ... .max)).toml"
    try configuration.write(toFile: file, atomically: false, encoding: .utf8)
    chmod(file, 0o644)
    defer { unlink(file) }
    let words = wrapper + [try Programs.begatd(), "--config", file, "--ready-fd", "2"]
    let program = try RunningProgram(words[0], Array(words.dropFirst().dropLast(2)))
    // The file is read by then.
    _ = program.errors.wait(within: .seconds(15)) { $0.contains("is ready") || $0.contains("begatd: ") }
    _ = eventually { program.hasEnded || program.errors.text.contains("is ready") }
    return program
  }

  @Test("with nothing writable it serves what needs no file", arguments: [("65534", "65534"), ("1000650000", "0")])
  func nothingWritable(user: String, group: String) throws {
    let begatd = try start(service("echo", "listen-stream = \"127.0.0.1:0\""), try readOnly(user: user, group: group))
    try begatd.errors.awaitLines(containing: "is ready: 1 service")
    #expect(begatd.errors.lines(containing: "served without it: begat status").count == 1, "\(begatd.errors.text)")
    #expect(
      begatd.errors.lines(containing: "set RUNTIME_DIRECTORY to a directory that user \(user) may use").count == 1)
    try begatd.send(.terminate)
    #expect(try begatd.awaitEnd() == .exited(code: 0))
  }

  @Test("with nothing writable it says what %t needs")
  func noRuntimeDirectory() throws {
    let begatd = try start(
      "[daemon]\ncontrol-socket = \"none\"\n" + service("echo", "listen-stream = [\"127.0.0.1:0\", \"%t/echo\"]"),
      try readOnly(user: "65534", group: "65534"))
    #expect(try begatd.awaitEnd() == .exited(code: 1))
    #expect(
      begatd.errors.lines(
        containing:
          "mkdir /tmp/begat-65534: Read-only file system; set RUNTIME_DIRECTORY to a directory that user 65534 "
          + "may use, or leave %t out of the addresses"
      ).count == 1, "\(begatd.errors.text)")
  }

  // MARK: Root without capabilities

  private static let noCapabilities = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

  @Test("root without capabilities says once what to do, and serves as root only if it is told to")
  func rootWithoutCapabilities() throws {
    let wrapper = [try Programs.tool("setpriv")] + Self.noCapabilities.dropFirst()
    let text = try refusal(service("echo") + service("time") + service("daytime"), wrapper: wrapper, status: 78)
    #expect(text.split(separator: "\n").count == 1, "\(text)")
    #expect(
      text.contains(
        "service.echo: this service and 2 others would serve as root, because begatd lacks CAP_SETUID and CAP_SETGID"),
      "\(text)")
    let asRoot = "[defaults]\nuser = \"root\"\n" + service("echo") + SampleConfiguration.script("id", "id -u")
    try withDaemon(asRoot, wrapper: wrapper) { daemon in
      try expect("root", from: daemon, "echo", asking: "root")
      try expect("0\n", from: daemon, "id")
    }
  }

  // MARK: nice

  @Test("a nice value that a filter forbids is found at the start", arguments: ["5", "-5"])
  func nice(value: String) throws {
    let kernel = try TestPrograms.kernel(without: ["setpriority"], error: EPERM)
    let program = SampleConfiguration.program("cat", ["/bin/cat"], "nice = \(value)")
    let text = try refusal(program, wrapper: kernel, status: 78)
    #expect(
      text.contains("service.cat.nice: a filter of system calls forbids setpriority(2); permit it (SystemCallFilter="),
      "\(text)")
    let listener = try RunningProgram.run(
      kernel[0],
      Array(kernel.dropFirst()) + [
        try Programs.listener(), "--listen-stream", "127.0.0.1:0", "--nice", value, "--", "/bin/cat",
      ])
    #expect(listener.status == .exited(code: 64))
    #expect(listener.errors.text.contains("--nice: a filter of system calls forbids setpriority(2)"))
    // Without a nice value it does not matter.
    try withDaemon(SampleConfiguration.program("cat", ["/bin/cat"]), wrapper: kernel) { daemon in
      try expect("x", from: daemon, "cat", asking: "x")
    }
  }

  private func expect(
    _ answer: String, from daemon: Daemon, _ service: String, asking question: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let received = String(decoding: try ask(daemon.address(service), question), as: UTF8.self)
    #expect(received == answer, sourceLocation: sourceLocation)
  }

  private func refusal(_ configuration: String, wrapper: [String] = [], status: CInt = 1) throws -> String {
    let directory = try TemporaryDirectory()
    let file = try directory.write(configuration, to: "begatd.toml")
    let words = wrapper + [try Programs.begatd(), "--config", file]
    let program = try RunningProgram.run(words[0], Array(words.dropFirst()))
    #expect(program.status == .exited(code: status), "\(program.errors.text)")
    return program.errors.text
  }
}
