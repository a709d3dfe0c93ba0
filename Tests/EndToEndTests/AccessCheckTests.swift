import Testing
@_spi(Begat) import UnixCore

/// What `begat check --from` tells, and rules about users on Unix sockets.
@Suite(.timeLimit(.minutes(30)))
struct AccessCheckTests {
  private static let text = """
    [defaults]
    deny = ["127.0.0.0/8"]
    [service.time]
    serve = "time"
    listen-stream = ["127.0.0.1:0", "@begat-e2e/none"]
    rate-per-source = "7/m"
    allow = ["127.0.5.0/24",
      "unix:root"]
    """

  @Test(arguments: [
    ("127.0.5.1", 0, [":7:10: service.time.allow: 127.0.5.0/24", "7/m", ":6:1: service.time.rate-per-source"]),
    ("::ffff:127.0.5.1", 0, ["127.0.5.1 to time: admitted", ":7:10: service.time.allow: 127.0.5.0/24"]),
    ("127.0.0.1", 1, [":2:9: defaults.deny: 127.0.0.0/8"]),
    ("unix:root", 0, [":8:3: service.time.allow: unix:root"]),
    ("unix:0", 0, [":8:3: service.time.allow: unix:root"]),
    ("unix:nobody", 1, [":7:1: service.time.allow"]),
    ("192.0.2.1", 1, [":7:1: service.time.allow"]),
    ("[::1]", 1, ["::1 to time: refused", "listens on no IPv6 address", ":7:1: service.time.allow"]),
  ])
  func namesTheLineThatDecides(_ client: String, _ status: CInt, _ parts: [String]) throws {
    let check = try check(Self.text, "--from", client, "time")
    #expect(check.status == .exited(code: status) && check.errors.text == "", "\(check.errors.text)")
    for part in parts {
      let whole = part.contains(/^:\d/) ? "begatd.toml" + part : part
      #expect(check.output.text.contains(whole), "\(check.output.text)")
    }
  }

  @Test(arguments: [
    ["--from", "127.0.0.1", "tine"], ["--from", "127.0.0.1"], ["time", "x"], ["time"], ["--from", "127.0.0", "time"],
    ["--from", "127.0.0.0/8", "time"], ["--from", "localhost", "time"], ["--from", "unix:no-such-user-here", "time"],
    ["--from", "", "time"], ["--from", "unix:*", "time"],
  ])
  func refusesAWrongQuestion(_ question: [String]) throws {
    let check = try check(Self.text, question)
    #expect(check.status == .exited(code: 64) && check.output.text == "" && check.errors.text != "")
  }

  @Test(arguments: [
    ("allow = [\"127.0.0.1/8\"]", "allow"), ("allow = [\"localhost\"]", "allow"),
    ("deny = [\"unix:no-such-user\"]", "deny"),
    ("deny = [\"127.0.0.0/33\"]", "deny"), ("deny = [\"::1\"]\nallow = [\"::1\"]", "deny"), ("allow = [17]", "allow"),
    ("rate = \"5\"", "rate"),
    ("rate-per-source = \"0/s\"", "rate-per-source"), ("when-full = \"drop\"", "when-full"),
    ("source-prefix = { ipv4 = 33 }", "source-prefix"),
    ("max-connections-per-source = 0", "max-connections-per-source"),
    ("max-duration = \"soon\"", "max-duration"), ("refusal = \"two\\nlines\"", "refusal"),
  ])
  func aWrongConfigurationHasNoAnswer(_ line: String, _ key: String) throws {
    let check = try check(
      "[service.time]\nserve = \"time\"\nlisten-stream = [\"127.0.0.1:0\"]\n\(line)\n", "--from", "127.0.0.1", "time")
    #expect(check.status == .exited(code: 78) && check.output.text == "")
    #expect(
      check.errors.text.contains(/begatd\.toml:4:\d+: service\.time\./) && check.errors.text.contains(key),
      "\(check.errors.text)")
  }

  @Test(.enabled(if: Machine.isRoot, "only root can be several users"))
  func usersOnUnixSockets() throws {
    func configuration(_ directory: TemporaryDirectory) -> String {
      func service(_ name: String, _ lines: String) -> String {
        "[service.\(name)]\nserve = \"time\"\nlisten-stream = [\"\(directory.path(name))\", \"127.0.0.1:0\"]\n\(lines)\n"
      }
      return service("one", "allow = [\"unix:daemon\"]") + service("all-but-one", "deny = [\"unix:daemon\"]")
        + service("one-of-all", "deny = [\"unix:*\"]\nallow = [\"unix:daemon\", \"127.0.0.1\"]")
        + service("nobody", "deny = [\"unix:*\"]")
    }
    try withDaemon(configuration) { daemon in
      for (service, daemonMay, rootMay, networkMay) in [
        ("one", true, false, false), ("all-but-one", false, true, true), ("one-of-all", true, false, true),
        ("nobody", false, false, true),
      ] {
        let path = try daemon.address(service, "/")
        // Perl is where every user may execute it; the tests' unpacked programs need not be.
        let script = "use IO::Socket::UNIX; print readline(IO::Socket::UNIX->new(shift) // die $!) // ''"
        let client = try RunningProgram.tool(
          "setpriv", ["--reuid=daemon", "--regid=daemon", "--clear-groups", "perl", "-e", script, path])
        #expect(Expected.isTime(client.output.bytes) == daemonMay, "\(service)")
        #expect(try Expected.isTime(ask(path)) == rootMay, "\(service)")
        #expect(try Expected.isTime(ask(daemon.address(service, "127."))) == networkMay, "\(service)")
        for (client, may) in [("unix:daemon", daemonMay), ("unix:root", rootMay), ("127.0.0.1", networkMay)] {
          let check = try RunningProgram.run(
            try Programs.begat(),
            ["check", "--config", daemon.directory.path("begatd.toml"), "--from", client, service])
          #expect(check.status == .exited(code: may ? 0 : 1), "\(service) \(client)")
        }
      }
    }
  }

  private func check(_ text: String, _ question: String...) throws -> RunningProgram { try check(text, question) }

  private func check(_ text: String, _ question: [String]) throws -> RunningProgram {
    let directory = try TemporaryDirectory()
    let file = try directory.write(text, to: "begatd.toml")
    return try RunningProgram.run(try Programs.begat(), ["check", "--config", file] + question)
  }
}
