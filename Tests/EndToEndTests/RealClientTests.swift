import Testing
@_spi(Begat) import UnixCore

/// The clients that people have.
@Suite(.timeLimit(.minutes(30)))
struct RealClientTests {
  @Test func netcatReadsToTheEnd() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let daytime = try RunningProgram.tool("nc", ["127.0.0.1", daemon.port("daytime")])
      #expect(Expected.isDaytime(daytime.output.bytes))
      let fortune = try RunningProgram.tool("nc", ["-U", daemon.address("fortune", "/")])
      #expect(fortune.output.text == Expected.networkFortune)
      let echo = try RunningProgram.tool("nc", ["-N", "127.0.0.1", daemon.port("echo")], input: .text("one\ntwo\n"))
      #expect(echo.output.text == "one\ntwo\n")
    }
  }

  @Test func netcatAsksByDatagram() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let port = try daemon.port("time", datagram: true)
      // It never ends by itself: it cannot know that nothing more will come.
      let netcat = try RunningProgram(try Programs.tool("nc"), ["-u", "127.0.0.1", port], input: .pipe)
      try netcat.write("\n")
      #expect(eventually { netcat.output.bytes.count == 4 })
      #expect(Expected.isTime(netcat.output.bytes))
      netcat.kill()
    }
  }

  @Test func telnetHoldsAConversation() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let script = """
        set timeout 10
        proc want {pattern} {
          expect {
            -re $pattern {}
            timeout { puts "\\nnothing like $pattern"; exit 2 }
            eof { puts "\\nthe end before $pattern"; exit 3 }
          }
        }
        spawn telnet 127.0.0.1 \(try daemon.port("command"))
        want {Welcome to begat; type help for command list\\.\\r\\n}
        # Nothing stands behind the prompt, not even an end of line.
        want {Command\\? $}
        send "date\\r"
        want {[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}\\r\\nCommand\\? $}
        send "who\\r"
        want {\\r\\nCommand\\? $}
        send "cookie\\r"
        want {A fork in the road:\\r\\n\\tone process per traveller\\.\\r\\nCommand\\? $}
        send "motd\\r"
        want {\\r\\nCommand\\? $}
        send "help\\r"
        want {Commands: quit date who cookie motd\\r\\nCommand\\? $}
        send "[string repeat x 513]\\r"
        want {Line too long: 512 bytes at most\\.\\r\\nCommand\\? $}
        send "\\r"
        want {Command\\? $}
        send "quit\\r"
        want {Connection closed by foreign host}
        expect eof
        """
      let file = try daemon.directory.write(script, to: "conversation.exp")
      let expect = try RunningProgram.run(try Programs.tool("expect"), ["-f", file])
      #expect(expect.status == .exited(code: 0), "\(expect.output.text)\(expect.errors.text)")
    }
  }

  @Test func socatConnectsToEveryKindOfAddress() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let abstract = try daemon.address("daytime", "@").dropFirst()
      for target in [
        "TCP:127.0.0.1:\(try daemon.port("daytime"))", "TCP6:\(try daemon.address("daytime", "["))",
        "UNIX-CONNECT:\(try daemon.address("daytime", "/"))", "ABSTRACT-CONNECT:\(abstract)",
      ] {
        let socat = try RunningProgram.tool("socat", ["-u", target, "-"])
        #expect(Expected.isDaytime(socat.output.bytes), "\(target)")
      }
      let echo = try RunningProgram.tool(
        "socat", ["-", "TCP:127.0.0.1:\(try daemon.port("echo"))"], input: .text("both ways\n"))
      #expect(echo.output.text == "both ways\n")
    }
  }

  @Test(arguments: [false, true])
  func rdateReadsTheClock(byDatagram: Bool) throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let port = try daemon.port("time", datagram: byDatagram)
      let rdate = try RunningProgram.tool(
        "rdate", (byDatagram ? ["-u"] : []) + ["-4", "-p", "-o", port, "127.0.0.1"])
      // ctime(3)'s form with the zone before the year.
      #expect(Expected.isNow(rdate.output.text.replacing(" UTC ", with: " ").trimmed), "\(rdate.output.text)")
    }
  }

  /// The clients of perlipc, "TCP Clients with IO::Socket" and "Interactive Client with IO::Socket".
  @Test func perlipcsClientsWork() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let simple = """
        use IO::Socket;
        my $remote = IO::Socket::INET->new(Proto => "tcp", PeerAddr => "127.0.0.1", PeerPort => shift) or die "$!";
        while (<$remote>) { print }
        """
      let daytime = try RunningProgram.tool("perl", ["-e", simple, daemon.port("daytime")])
      #expect(Expected.isDaytime(daytime.output.bytes))

      let interactive = """
        use strict; use warnings; use IO::Socket;
        my ($kidpid, $handle, $line);
        $handle = IO::Socket::INET->new(Proto => "tcp", PeerAddr => "127.0.0.1", PeerPort => shift) or die "$!";
        $handle->autoflush(1);
        die "can't fork: $!" unless defined($kidpid = fork());
        if ($kidpid) {
          while (defined ($line = <$handle>)) { print STDOUT $line; }
          kill("TERM", $kidpid);
        } else {
          while (defined ($line = <STDIN>)) { print $handle $line; }
        }
        """
      let command = try RunningProgram.tool(
        "perl", ["-e", interactive, daemon.port("command")], input: .text("help\nquit\n"))
      #expect(
        command.output.text == Expected.banner + Expected.prompt + Expected.help + Expected.prompt)
    }
  }

  @Test func pythonsClientWorks() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let script = """
        import socket, sys
        with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
            s.sendall(b"x" * 1000)
            s.shutdown(socket.SHUT_WR)
            text = s.makefile("rb").read()
            assert text == b"x" * 1000, text
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(sys.argv[2])
            sys.stdout.write(s.makefile().read())
        """
      let python = try RunningProgram.tool(
        "python3", ["-c", script, daemon.port("echo"), daemon.address("fortune", "/")])
      #expect(python.output.text == Expected.fortune)
    }
  }
}
