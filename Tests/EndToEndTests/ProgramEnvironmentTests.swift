import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The variables that programs get: the promised ones, whole and nothing else.
@Suite(.timeLimit(.minutes(30)))
struct ProgramEnvironmentTests {
  private static let path = "PATH=/usr/local/bin:/usr/bin:/bin"

  private static func configuration(_ lines: String...) -> (TemporaryDirectory) -> String {
    { directory in
      let addresses = ["127.0.0.1:0", "[::1]:0", directory.path("env.sock"), "@\(directory.path)/env"]
      return SampleConfiguration.program(
        "env", ["/usr/bin/env"], lines.joined(separator: "\n"), listening: addresses)
    }
  }

  @Test(arguments: [false, true])
  func overTheInternetTheyNameBothEnds(relayed: Bool) throws {
    try withDaemon(Self.configuration("relay = \(relayed)")) { daemon in
      try expectInternet(daemon, "127.0.0.1")
      try expectInternet(daemon, "[::1]")
    }
  }

  @Test(arguments: [false, true])
  func onUnixSocketsTheyNameTheUser(relayed: Bool) throws {
    try withDaemon(Self.configuration("relay = \(relayed)")) { daemon in
      try expectUnix(daemon, "/")
      try expectUnix(daemon, "@")
    }
  }

  @Test(arguments: [false, true])
  func nothingIsStale(relayed: Bool) throws {
    try withDaemon(Self.configuration("relay = \(relayed)")) { daemon in
      for _ in 0..<3 {
        try expectInternet(daemon, "127.0.0.1")
        let name = daemon.directory.path("client")
        try expectNamed(daemon, name, named: name)
        try expectUnix(daemon, "/")
        try expectInternet(daemon, "[::1]")
        try expectUnix(daemon, "@")
      }
    }
  }

  @Test(arguments: [false, true])
  func aClientsPathIsToldWhereItHarmsNobody(relayed: Bool) throws {
    try withDaemon(Self.configuration("relay = \(relayed)")) { daemon in
      let name = daemon.directory.path("a-client_1.0")
      try expectNamed(daemon, name, named: name)
      try expectNamed(daemon, "\0\(daemon.directory.path)/client", named: "@\(daemon.directory.path)/client")
      let hostile = [
        "two words", "line\nPATH=evil", "$(id)", "`id`", "a;b", "a=b", "x'y", "\u{1b}[31m", "caf\u{e9}", "a\\b",
        "() { :;}",
      ]
      for name in hostile { try expectNamed(daemon, daemon.directory.path(name), named: nil) }
      try expectNamed(daemon, "\0\(daemon.directory.path)/two words", named: nil)
      try expectNamed(daemon, "\0\(daemon.directory.path)/nul\0inside", named: nil)
    }
  }

  @Test(arguments: [false, true])
  func connectionsOfASourceAreCounted(relayed: Bool) throws {
    let configuration = { (directory: TemporaryDirectory) in
      SampleConfiguration.program(
        "count", ["/bin/sh", "-c", "echo $TCPCONNNUM$IPCCONNNUM; read end"], "relay = \(relayed)",
        listening: ["127.0.0.1:0", directory.path("count.sock")])
    }
    try withDaemon(configuration) { daemon in
      for (address, others) in [
        (try daemon.address("count", "1"), "127.0.0.2"), (try daemon.address("count", "/"), nil),
      ] {
        let first = try Client(address)
        #expect(try first.receive(until: "\n") == "1\n")
        let second = try Client(address)
        #expect(try second.receive(until: "\n") == "2\n")
        if let others { #expect(try Client(address, from: others).receive(until: "\n") == "1\n") }
        first.hangUp()
        second.hangUp()
        _ = try daemon.awaitConnections(0, of: "count")
        #expect(try Client(address).receive(until: "\n") == "1\n")
        _ = try daemon.awaitConnections(0, of: "count")
      }
    }
  }

  @Test func theConfiguredAreAdded() throws {
    let table = #"environment = { GREETING = "two words; $HOME", EMPTY = "", LC_ALL = "C.UTF-8" }"#
    try withDaemon(Self.configuration(table)) { daemon in
      try expectInternet(
        daemon, "127.0.0.1", [Self.path, "GREETING=two words; $HOME", "EMPTY=", "LC_ALL=C.UTF-8"])
    }
  }

  @Test func thePathCanBeReplaced() throws {
    try withDaemon(Self.configuration(#"environment = { PATH = "/opt/bin" }"#)) { daemon in
      try expectInternet(daemon, "127.0.0.1", ["PATH=/opt/bin"])
      try expectUnix(daemon, "/", ["PATH=/opt/bin"])
    }
  }

  @Test(.enabled(if: Machine.isRoot, "only root can serve as another user"))
  func aLoginIsDescribedIfAskedFor() throws {
    let login = ["HOME=/usr/games", "USER=games", "LOGNAME=games", "SHELL=/usr/sbin/nologin"]
    let user = "user = \"games\"\nlogin-environment = true\n"
    try withDaemon(Self.configuration(user)) { daemon in
      try expectInternet(daemon, "127.0.0.1", login + [Self.path])
    }
    try withDaemon(Self.configuration(user + "environment = { HOME = \"/srv\", A = \"b\" }")) { daemon in
      try expectInternet(daemon, "127.0.0.1", login.dropFirst() + ["HOME=/srv", "A=b", Self.path])
    }
  }

  @Test(
    .enabled(if: Machine.isRoot, "only root can serve as another user"),
    arguments: [
      ("games", ["HOME=/usr/games", "LOGNAME=games", "SHELL=/usr/sbin/nologin", "USER=games"]),
      ("987654", ["HOME=/", "LOGNAME=987654", "SHELL=/bin/sh", "USER=987654"]),
    ])
  func aListenerAloneDescribesIt(user: String, login: [String]) throws {
    let program = try RunningProgram.tool(
      "sh",
      [
        "-c",
        "printf 'env\nquit\n' | \"$0\" --serve command --stdio --login-environment --user \"$1\" --commands.env /usr/bin/env",
        try Programs.listener(), user,
      ])
    let lines = program.output.text.split(whereSeparator: \.isNewline).map(String.init)
    let names = ["HOME=", "LOGNAME=", "SHELL=", "USER="]
    #expect(lines.filter { line in names.contains { line.hasPrefix($0) } }.sorted() == login)
  }

  @Test(arguments: [false, true])
  func nothingOfBegatdsOwnReachesThem(relayed: Bool) throws {
    let directory = try TemporaryDirectory()
    let manager = try FakeManager(in: directory)
    let hostile =
      [
        "LD_PRELOAD=/nonexistent.so", "LD_AUDIT=/nonexistent.so", "LD_BIND_NOT=1", "LD_DEBUG_OUTPUT=/nonexistent",
        "LD_LIBRARY_PATH=/nonexistent", "GCONV_PATH=/nonexistent", "LOCPATH=/nonexistent", "NLSPATH=/nonexistent",
        "MALLOC_PERTURB_=7", "GLIBC_TUNABLES=glibc.malloc.check=1", "IFS=x", "BASH_ENV=/nonexistent",
        "ENV=/nonexistent", "PS4=$(id)", "CDPATH=/etc", "BASH_FUNC_id%%=() { :;}", "SHELLOPTS=xtrace", "LANG=tlh",
        "LANGUAGE=tlh", "TMPDIR=/nonexistent", "USER=-f root", "LOGNAME=-f root", "TERM=../../etc/passwd",
        "TCPREMOTEHOST=forged.example", "TCPREMOTEINFO=forged", "TCPREMOTEIP=192.0.2.1", "REMOTE_ADDR=192.0.2.1",
        "IPCREMOTEPATH=/forged", "IPCREMOTEEUID=0", "SSL_PROTOCOL=forged", "LISTEN_FDS=9", "LISTEN_PID=1",
        "LISTEN_FDNAMES=forged", "JOURNAL_STREAM=1:1", "PERL5LIB=/nonexistent", "PYTHONPATH=/nonexistent",
        "INVOCATION_ID=forged", manager.variable, "WATCHDOG_USEC=60000000", "A=",
      ]
    let daemon = try Daemon(
      Self.configuration("relay = \(relayed)")(directory), in: directory, environment: hostile)
    _ = try manager.take(until: "READY=1")
    try expectInternet(daemon, "127.0.0.1")
    try expectInternet(daemon, "[::1]")
    try expectUnix(daemon, "/")
    try expectInternet(daemon, "127.0.0.1")
    try daemon.stop()
  }

  // MARK: What is expected

  private func expectInternet(
    _ daemon: Daemon, _ host: String, _ configured: [String] = [path],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let server = try daemon.address("env", host)
    let client = try Client(server)
    let (here, there) = (parts(try client.address()), parts(server))
    let wanted =
      configured + [
        "PROTO=TCP", "TCPLOCALIP=\(there.host)", "TCPLOCALPORT=\(there.port)", "TCPREMOTEIP=\(here.host)",
        "TCPREMOTEPORT=\(here.port)", "TCPCONNNUM=1", "REMOTE_ADDR=\(here.host)", "REMOTE_PORT=\(here.port)",
      ]
    #expect(sorted(try client.receiveText()) == wanted.sorted(), sourceLocation: sourceLocation)
    client.hangUp()
    try awaitNobody(daemon)
  }

  private func expectUnix(
    _ daemon: Daemon, _ beginning: String, _ configured: [String] = [path],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let server = try daemon.address("env", beginning)
    let wanted = configured + variables(onUnixSocket: server)
    let text = String(decoding: try ask(server), as: UTF8.self)
    #expect(sorted(text) == wanted.sorted(), sourceLocation: sourceLocation)
    try awaitNobody(daemon)
  }

  /// - Parameter name: what the client's socket is bound to, a leading zero for an abstract name.
  /// - Parameter shown: what the program may learn of it.
  private func expectNamed(
    _ daemon: Daemon, _ name: String, named shown: String?, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let script = """
      import os, socket, sys
      client = socket.socket(socket.AF_UNIX)
      name = bytes.fromhex(sys.argv[2])
      client.bind(name)
      client.connect(sys.argv[1])
      sys.stdout.write(client.makefile().read())
      if not name.startswith(b"\\0"): os.unlink(name)
      """
    let server = try daemon.address("env", "/")
    let hex = name.utf8.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    let told = shown.map { ["IPCREMOTEPATH=\($0)", "REMOTE_ADDR=\($0)"] } ?? []
    let wanted = [Self.path] + variables(onUnixSocket: server) + told
    let text = try python(script, [server, hex]).output.text
    #expect(sorted(text) == wanted.sorted(), "\(escaped(name.utf8))", sourceLocation: sourceLocation)
    try awaitNobody(daemon)
  }

  private func variables(onUnixSocket path: String) -> [String] {
    [
      "PROTO=IPC", "IPCREMOTEEUID=\(geteuid())", "IPCREMOTEEGID=\(getegid())", "IPCLOCALPATH=\(path)", "IPCCONNNUM=1",
    ]
  }

  /// The next client is to be its source's only one.
  private func awaitNobody(_ daemon: Daemon) throws { _ = try daemon.awaitConnections(0, of: "env") }

  private func sorted(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init).sorted()
  }

  private func parts(_ address: String) -> (host: String, port: String) {
    let colon = address.lastIndex(of: ":")!
    return (
      address[..<colon].filter { $0 != "[" && $0 != "]" }, String(address[address.index(after: colon)...])
    )
  }
}
