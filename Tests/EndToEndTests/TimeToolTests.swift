import Foundation
import Testing
@_spi(Begat) import UnixCore

/// `begat time`.
@Suite(.timeLimit(.minutes(30)))
struct TimeToolTests {
  /// What a server of the tests' own may answer: the present time with so many seconds added.
  private static func time(_ seconds: Int = 0) -> String {
    "lambda: struct.pack(\"!I\", (int(time.time()) + 2208988800 + \(seconds)) % 2**32)"
  }

  private func row(_ program: RunningProgram, _ host: String) -> String? {
    program.output.lines.first { $0.hasPrefix(host + " ") }
  }

  /// Whether a row shows a clock that is right, give or take the second that may begin meanwhile.
  private func isRight(_ row: String?) -> Bool {
    guard let row, let note = row.range(of: "  half the round trip, ") else { return false }
    let words = row.split(separator: " ")
    return words.count > 1 && ["-1", "0", "1"].contains(words[1])
      && Expected.isNow(String(row[..<note.lowerBound].suffix(24))) && row.hasSuffix(" ms, taken off")
  }

  @Test(arguments: [false, true])
  func showsTheTimeOfBegatd(byDatagram: Bool) throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      var hosts = [
        try daemon.address("time", "127.", datagram: byDatagram), try daemon.address("time", "[", datagram: byDatagram),
      ]
      if !byDatagram { hosts += [try daemon.address("time", "/"), try daemon.address("time", "@")] }
      let time = try begat(["time"] + (byDatagram ? ["--udp"] : []) + hosts)
      #expect(time.status == .exited(code: 0) && time.errors.text == "", "\(time.errors.text)")
      #expect(time.output.lines.count == hosts.count + 2 && !time.output.text.contains("\u{1b}"))
      let local = try #require(time.output.lines.dropFirst().first)
      #expect(local.hasPrefix("(this machine) ") && local.dropLast(24).hasSuffix(" 0 "))
      #expect(Expected.isNow(String(local.suffix(24))))
      for (line, host) in zip(time.output.lines.dropFirst(2), hosts) {
        #expect(line.hasPrefix(host + " ") && isRight(line), "\(line)")
      }
    }
  }

  @Test(arguments: [false, true])
  func goesOnWhereHostsFail(byDatagram: Bool) throws {
    let network = "101.\(byDatagram ? 1 : 2)"
    let servers = try TimeServers(
      "[\(Self.time(3600)), b\"abc\", None, b\"\\x1b[31m\", \(Self.time(-60)), b\"\", b\"x\" * 900]", network: network)
    let closed = try FreePorts.addresses(1)[0]
    let hosts = (1...7).map { "127.\(network).\($0)" }
    let arguments = ["time", "--timeout", "1500ms", "--port", servers.port] + (byDatagram ? ["--udp"] : [])
    let time = try begat(arguments + [closed, "begat-none.invalid"] + hosts)
    #expect(time.status == .exited(code: 1) && time.errors.text == "", "\(time.errors.text)")
    func reason(_ host: String) -> String { String(row(time, host)?.dropFirst(34) ?? "no row") }
    #expect(reason(closed) == "refused")
    #expect(reason("begat-none.invalid").hasPrefix("unknown host: "))
    #expect(reason(hosts[1]) == "short answer of 3 bytes")
    #expect(reason(hosts[2]) == "no answer within 1500 ms")
    #expect(reason(hosts[3]) == "5 bytes instead of 4")
    #expect(reason(hosts[5]) == "closed without an answer")
    #expect(reason(hosts[6]) == "more than 64 bytes instead of 4")
    let ahead = try #require(row(time, hosts[0])), behind = try #require(row(time, hosts[4]))
    #expect(["3599", "3600", "3601"].contains(ahead.split(separator: " ")[1]), "\(ahead)")
    #expect(["-59", "-60", "-61"].contains(behind.split(separator: " ")[1]), "\(behind)")
    // In the order of the arguments.
    let names = time.output.lines.map { String($0.prefix { $0 != " " }) }
    #expect(names == ["HOST", "(this", closed, "begat-none.invalid"] + hosts)
  }

  @Test(.enabled(if: Machine.isRoot, "needs root: a network of its own"))
  func aWholeNetworkIsAsked() throws {
    let script = """
      ip link set lo up
      python3 -c 'import socket, struct, time
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 10037)); print("up", flush=True)
      while True: d, a = s.recvfrom(10); s.sendto(struct.pack("!L", int(time.time()) + 2208988800), a)' > up &
      until [ -s up ]; do :; done
      "$0" time --udp --broadcast --timeout 1 127.255.255.255:10037; echo $?
      "$0" time --udp --broadcast --timeout 200ms 127.255.255.255:10038; echo $?
      "$0" time --udp --timeout 200ms 127.255.255.255:10037; echo $?; kill $!
      ip route add prohibit 192.0.2.7
      "$0" time --udp --timeout 200ms 192.0.2.7:10037; echo $?
      """
    let directory = try TemporaryDirectory()
    let shown = try RunningProgram.run(
      try Programs.tool("unshare"),
      [
        "--net", "--pid", "--fork", "--kill-child", "bash", "-c", "cd '\(directory.path)'; \(script)",
        try Programs.begat(),
      ], within: .seconds(30))
    let lines = shown.output.lines
    try #require(lines.count == 16, "\(shown.output.text)\(shown.errors.text)")
    #expect(lines[2].hasPrefix("127.0.0.1:10037 ") && lines[2].contains(" ms, taken off") && lines[3] == "0")
    #expect(lines[6].hasSuffix(" - no answer within 200 ms") && lines[7] == "1")
    #expect(lines[10].hasSuffix(" - a broadcast address, which is asked by time --broadcast") && lines[11] == "1")
    #expect(lines[14].hasSuffix("Permission denied") && lines[15] == "1", "\(lines[14])")
  }

  @Test(arguments: [false, true])
  func asks200AtOnceOfWhich20AreSilent(byDatagram: Bool) throws {
    let network = "101.\(byDatagram ? 3 : 4)"
    let servers = try TimeServers(
      "[None if host % 10 == 0 else \(Self.time()) for host in range(1, 201)]", network: network)
    let hosts = (1...200).map { "127.\(network).\($0)" }
    let watch = Stopwatch()
    let time = try begat(
      ["time", "--timeout", "2", "--port", servers.port] + (byDatagram ? ["--udp"] : []) + hosts)
    let took = watch.elapsed
    #expect(took >= .seconds(2) && took < .milliseconds(2500), "\(took)")
    #expect(time.status == .exited(code: 1))
    #expect(time.output.lines.count { isRight($0) } >= 180)
    #expect(time.output.lines(containing: "no answer within 2 s").count == 20)
    if ProcessInfo.processInfo.environment["BEGAT_FIGURES"] != nil {
      print("begat time\(byDatagram ? " --udp" : ""), 200 hosts, 20 silent, limit 2 s: \(took)")
    }
  }

  @Test func connectsToNobodyForLong() throws {
    // Backlogs that are full: not even the connection is made.
    let silent = try python(
      """
      import socket, subprocess, sys
      hosts, kept, port = [], [], 0
      for number in range(1, 21):
          s = socket.socket(); s.bind(("127.101.5.%d" % number, port)); port = s.getsockname()[1]
          s.listen(0); kept.append(s)
          c = socket.socket(); c.connect(s.getsockname()); kept.append(c)
          hosts.append("127.101.5.%d:%d" % (number, port))
      found = subprocess.run([sys.argv[1], "time", "--timeout", "1"] + hosts, stdout=subprocess.PIPE)
      print(found.returncode, found.stdout.count(b"no answer within 1 s"))
      """, [try Programs.begat()])
    #expect(silent.output.text == "1 20\n")
  }

  private static let mayMount =
    Machine.isRoot && (try? RunningProgram.tool("unshare", ["-m", "mount", "--bind", "/tmp", "/mnt"])) != nil

  @Test(.enabled(if: mayMount, "needs root, and mounts of its own"))
  func isNotHeldUpByASlowName() throws {
    let servers = try TimeServers("[\(Self.time())]", network: "101.8")
    let directory = try TemporaryDirectory()
    let file = try directory.write("nameserver 127.101.9.1\n", to: "resolv.conf")
    // A name server that never answers.
    let silent = try RunningProgram(
      try Programs.tool("socat"), ["-u", "-d", "-d", "UDP-RECV:53,bind=127.101.9.1", "/dev/null"])
    #expect(silent.errors.wait(within: .seconds(10)) { $0.contains("starting data transfer loop") })
    let command =
      "mount --bind \(file) /etc/resolv.conf && "
      + "exec \(try Programs.begat()) time --timeout 2 a.example 127.101.8.1:\(servers.port) b.example"
    let watch = Stopwatch()
    let time = try RunningProgram.run(try Programs.tool("unshare"), ["-m", "sh", "-c", command])
    #expect(watch.elapsed >= .seconds(2) && watch.elapsed < .milliseconds(2500), "\(watch.elapsed)")
    #expect(time.status == .exited(code: 1) && time.output.lines.count == 5, "\(time.errors.text)")
    #expect(isRight(row(time, "127.101.8.1:\(servers.port)")), "\(time.output.text)")
    #expect(time.output.lines(containing: "no answer about its name within 2 s").count == 2, "\(time.output.text)")
    silent.kill()
  }

  @Test func printsJSON() throws {
    let servers = try TimeServers("[\(Self.time(5)), None]", network: "101.6")
    let time = try begat(["time", "--json", "--timeout", "1", "--port", servers.port, "127.101.6.1", "127.101.6.2"])
    #expect(time.status == .exited(code: 1))
    let object = try JSONSerialization.jsonObject(with: Data(time.output.bytes)) as? [String: Any]
    let hosts = try #require(object?["hosts"] as? [[String: Any]])
    #expect(hosts.map { $0["host"] as? String } == ["127.101.6.1", "127.101.6.2"])
    #expect((4...6).contains(try #require(hosts[0]["difference"] as? Int)) && hosts[0]["error"] == nil)
    #expect(hosts[1]["error"] as? String == "no answer within 1 s" && hosts[1]["difference"] == nil)
  }

  @Test(.enabled(if: Machine.isRoot, "needs root: xinetd serves for nobody else"))
  func readsXinetd() throws {
    let address = try FreePorts.addresses(1)[0]
    let host = String(address.prefix { $0 != ":" })
    let directory = try TemporaryDirectory()
    let xinetd = try Xinetd(["time": ["stream", "dgram"], "daytime": ["stream", "dgram"]], at: host, in: directory)
    for option in [[], ["--udp"]] {
      let time = try begat(["time"] + option + ["\(host):\(try xinetd.port("time"))"])
      #expect(time.status == .exited(code: 0) && isRight(time.output.lines.last), "\(time.output.text)")
      let daytime = try begat(["daytime"] + option + ["\(host):\(try xinetd.port("daytime"))"])
      #expect(daytime.status == .exited(code: 0), "\(daytime.errors.text)")
      // `23 NOV 2026 01:25:09 UTC`
      #expect(daytime.output.text.contains(/^\d\d [A-Z]{3} \d{4} \d\d:\d\d:\d\d UTC\n$/), "\(daytime.output.text)")
    }
  }

  @Test func showsWhatItWaitsForOnATerminalOnly() throws {
    let servers = try TimeServers("[\(Self.time()), None]", network: "101.7")
    let command = "\(try Programs.begat()) time --timeout 2500ms --port \(servers.port) 127.101.7.1 127.101.7.2"
    let terminal = try RunningProgram.run(
      try Programs.tool("script"), ["-q", "-e", "-c", command, "/dev/null"], environment: ["TERM=xterm"])
    #expect(terminal.status == .exited(code: 1))
    #expect(terminal.output.text.contains("\r\u{1b}[Kwaiting for 127.101.7.2, 2 s left"), "\(terminal.output.text)")
    #expect(terminal.output.text.contains(/\r\u{1b}\[K\u{1b}\[31m127\.101\.7\.2 +- no answer within 2500 ms\u{1b}\[0m/))
  }

  @Test func refusesWrongArguments() throws {
    for arguments in [
      [], ["h:0"], ["--timeout", "0", "h"], ["--timeout", "-1", "h"], ["--timeout", "x", "h"], ["--port", "x", "h"],
      [""],
    ] {
      for command in ["time", "daytime"] {
        let time = try begat([command] + arguments)
        #expect(time.status == .exited(code: 64) && time.output.text == "" && time.errors.text != "", "\(arguments)")
      }
    }
    for option in ["--help", "--version"] { #expect(try begat(["time", option]).status == .exited(code: 0)) }
    let full = try RunningProgram.tool(
      "sh", ["-c", "! \(try Programs.begat()) time 127.0.0.1:1 > /dev/full"])
    #expect(full.errors.text == "begat time: write standard output: No space left on device\n")
  }

  private func begat(_ arguments: [String]) throws -> RunningProgram {
    try RunningProgram.run(try Programs.begat(), arguments)
  }
}
