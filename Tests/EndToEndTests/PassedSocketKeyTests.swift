import Testing
@_spi(Begat) import UnixCore

/// A socket that is passed is what the keys of its service ask for, or the service is not offered.
@Suite(.timeLimit(.minutes(30)))
struct PassedSocketKeyTests {
  /// Binds a socket as a service manager would, and executes a command with it.
  private static let script = """
    import os, socket, sys
    kind, address, device, mode = sys.argv[1:5]
    type = socket.SOCK_DGRAM if "datagram" in kind else socket.SOCK_STREAM
    if "unix" in kind:
        passed = socket.socket(socket.AF_UNIX, type)
        passed.bind(address)
        os.chmod(address, int(mode, 8))
    else:
        passed = socket.socket(socket.AF_INET, type)
        if device:
            passed.setsockopt(socket.SOL_SOCKET, 25, device.encode())
        host, port = address.split(":")
        passed.bind((host, int(port)))
    if "datagram" not in kind:
        passed.listen(5)
    os.dup2(passed.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="given", LISTEN_PID=str(os.getpid()))
    os.execv(sys.argv[5], sys.argv[5:])
    """

  private struct Passed {
    var kind = "internet"
    var device = ""
    var mode = "0666"
    /// Of the service.
    var keys = ""
    var defaults = ""
    /// Beside the socket's own address.
    var listens = ""
  }

  private func start(_ passed: Passed, at address: String, in directory: TemporaryDirectory) throws -> RunningProgram {
    let key = passed.kind.contains("datagram") ? "listen-datagram" : "listen-stream"
    let addresses = passed.listens.isEmpty ? "\"\(address)\"" : passed.listens
    let file = try directory.write(
      "[defaults]\n\(passed.defaults)\n[service.time]\nserve = \"time\"\n\(key) = [\(addresses)]\n\(passed.keys)\n",
      to: "begatd.toml")
    return try RunningProgram(
      try Programs.tool("python3"),
      ["-c", Self.script, passed.kind, address, passed.device, passed.mode, try Programs.begatd(), "--config", file],
      environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
  }

  private func address(_ kind: String, in directory: TemporaryDirectory) throws -> String {
    kind.contains("unix") ? directory.path("s") : try FreePorts.addresses(1)[0]
  }

  private func expectRefusal(_ passed: Passed, _ reasons: String..., location: SourceLocation = #_sourceLocation) throws
  {
    let directory = try TemporaryDirectory()
    let address = try address(passed.kind, in: directory)
    let begatd = try start(passed, at: address, in: directory)
    #expect(try begatd.awaitEnd() == .exited(code: 1), "\(begatd.errors.text)", sourceLocation: location)
    let place = "\(directory.path("begatd.toml")):3:10: service.time: "
    let lines = reasons.map {
      "begatd: \(place)the socket passed for \(address) \($0) in the unit or leave out the key"
    }
    #expect(begatd.errors.lines == lines, sourceLocation: location)
  }

  @Test func ofAnotherInterfaceItIsRefused() throws {
    let keys = "bind-to-device = \"lo\""
    let any = "takes what comes through any interface, bind-to-device says lo; set BindToDevice=lo"
    try expectRefusal(Passed(keys: keys), any)
    try expectRefusal(Passed(defaults: keys), any)
    try expectRefusal(Passed(kind: "internet datagram", keys: keys), any)
    try expectRefusal(Passed(keys: keys, listens: "\"fd:given\", \"127.0.0.1:0\""), any)
    try expectRefusal(
      Passed(device: "lo", keys: "bind-to-device = \"nosuchdev0\""),
      "takes only what comes through lo, bind-to-device says nosuchdev0; set BindToDevice=nosuchdev0")
  }

  @Test func ofAnotherModeOrOwnerItIsRefused() throws {
    let mode = "has mode 0666, socket-mode says 0600; set SocketMode=0600"
    try expectRefusal(Passed(kind: "unix", keys: "socket-mode = \"0600\""), mode)
    try expectRefusal(Passed(kind: "unix", defaults: "socket-mode = \"0600\""), mode)
    try expectRefusal(Passed(kind: "unix datagram", keys: "socket-mode = \"0600\""), mode)
    try expectRefusal(
      Passed(kind: "unix", keys: "socket-user = \"nobody\"\nsocket-group = \"4712\"\nsocket-mode = \"0600\""), mode,
      "has owner root, socket-user says nobody; set SocketUser=nobody",
      "has group 0, socket-group says 4712; set SocketGroup=4712")
  }

  @Test func asItsKeysSayItIsServed() throws {
    for passed in [
      Passed(device: "lo", keys: "bind-to-device = \"lo\""), Passed(keys: "free-bind = true"),
      Passed(keys: "backlog = 77"),
      // Nobody asked for anything.
      Passed(device: "lo"), Passed(kind: "unix", mode: "0600"),
      Passed(kind: "unix", mode: "0600", keys: "socket-mode = \"0600\"\nsocket-user = \"root\""),
      // These are for other services.
      Passed(defaults: "socket-mode = \"0600\"", listens: "\"fd:given\""),
      Passed(kind: "unix", defaults: "bind-to-device = \"lo\""),
    ] {
      let directory = try TemporaryDirectory()
      let address = try address(passed.kind, in: directory)
      let begatd = try start(passed, at: address, in: directory)
      #expect(eventually { (try? ask(address)).map(Expected.isTime) ?? false }, "\(passed): \(begatd.errors.text)")
      if passed.keys.contains("backlog") {
        let rows = try RunningProgram.tool("ss", ["-ltnH"]).output.lines.map { $0.split(separator: " ") }
        #expect(rows.first { $0.count > 3 && $0[3] == address }?[2] == "77")
      }
      try begatd.send(.terminate)
      #expect(try begatd.awaitEnd() == .exited(code: 0), "\(passed): \(begatd.errors.text)")
    }
  }
}
