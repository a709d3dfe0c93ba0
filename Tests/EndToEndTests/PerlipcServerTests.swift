import Testing
@_spi(Begat) import UnixCore

/// begat's clients with the servers of perlipc, and perlipc's time clients with begatd.  What is left out of the programs
/// is their log, fixed ports and paths.
@Suite(.timeLimit(.minutes(30)))
struct PerlipcServerTests {
  @Test func connectReadsTheForkingServer() throws {
    let server = try startPerl(
      Self.forking
        + """
        socket(Server, PF_INET, SOCK_STREAM, getprotobyname('tcp')) || die "socket: $!";
        setsockopt(Server, SOL_SOCKET, SO_REUSEADDR, pack("l", 1)) || die "setsockopt: $!";
        bind(Server, sockaddr_in(0, INADDR_LOOPBACK)) || die "bind: $!";
        listen(Server, SOMAXCONN) || die "listen: $!";
        print 'port ', (sockaddr_in(getsockname(Server)))[0], "\\n";
        my $paddr;
        for ($waitedpid = 0; ($paddr = accept(Client, Server)) || $waitedpid; $waitedpid = 0, close Client) {
          next if $waitedpid and not $paddr;
          my ($port, $iaddr) = sockaddr_in($paddr);
          my $name = gethostbyaddr($iaddr, AF_INET);
          spawn(sub {
            print "Hello there, $name, it's now ", scalar localtime, "\\n";
            exec '/usr/games/fortune' or confess "can't exec fortune: $!";
          });
        }
        """)
    let port = String(try server.output.awaitLines(containing: "port ")[0].dropFirst(5))
    for _ in 0..<3 {
      let connect = try runBegat("connect", "127.0.0.1", port)
      #expect(connect.status == .exited(code: 0), "\(connect.errors.text)")
      #expect(connect.output.text.hasPrefix("Hello there, localhost, it's now ") && connect.output.lines.count >= 2)
    }
  }

  @Test func connectReadsTheUnixServer() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("catsock")
    let server = try startPerl(
      Self.forking
        + """
        my $NAME = shift;
        socket(Server, PF_UNIX, SOCK_STREAM, 0) || die "socket: $!";
        unlink($NAME);
        bind(Server, sockaddr_un($NAME)) || die "bind: $!";
        listen(Server, SOMAXCONN) || die "listen: $!";
        print "ready\\n";
        for ($waitedpid = 0; accept(Client, Server) || $waitedpid; $waitedpid = 0, close Client) {
          next if $waitedpid;
          spawn(sub {
            print "Hello there, it's now ", scalar localtime, "\\n";
            exec '/usr/games/fortune' or die "can't exec fortune: $!";
          });
        }
        """, path)
    try server.output.awaitLines(containing: "ready")
    let connect = try runBegat("connect", path)
    #expect(connect.status == .exited(code: 0), "\(connect.errors.text)")
    #expect(connect.output.text.hasPrefix("Hello there, it's now ") && connect.output.lines.count >= 2)
  }

  @Test func connectTalksToTheInteractiveServer() throws {
    let server = try startPerl(
      """
      use IO::Socket; use Net::hostent;
      $| = 1;
      $server = IO::Socket::INET->new(
        Proto => 'tcp', LocalAddr => '127.0.0.1', LocalPort => 0, Listen => SOMAXCONN, Reuse => 1);
      die "can't setup server" unless $server;
      print 'port ', $server->sockport, "\\n";
      while ($client = $server->accept()) {
        $client->autoflush(1);
        print $client "Welcome to $0; type help for command list.\\n";
        print $client "Command? ";
        while (<$client>) {
          next unless /\\S/;
          if (/quit|exit/i) { last; }
          elsif (/date|time/i) { printf $client "%s\\n", scalar localtime; }
          else { print $client "Commands: quit date who cookie motd\\n"; }
        } continue { print $client "Command? "; }
        close $client;
      }
      """)
    let port = String(try server.output.awaitLines(containing: "port ")[0].dropFirst(5))
    let connect = try startBegat("connect", "127.0.0.1", port, input: .pipe)
    // The prompt has no end of line, and comes all the same.
    #expect(connect.output.wait(within: .seconds(10)) { $0.hasSuffix("command list.\nCommand? ") })
    try connect.write("help\n")
    #expect(
      connect.output.wait(within: .seconds(10)) { $0.hasSuffix("Commands: quit date who cookie motd\nCommand? ") })
    try connect.write("date\n")
    #expect(connect.output.wait(within: .seconds(10)) { $0.split(separator: "Command? ").count == 3 })
    try connect.write("quit\n")
    #expect(try connect.awaitEnd() == .exited(code: 0))
  }

  @Test func itsTimeClientReadsBegatd() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let client = """
        use strict; use Socket;
        my $SECS_of_70_YEARS = 2208988800;
        my $port = shift;
        foreach my $host (@ARGV) {
          my $hispaddr = sockaddr_in($port, inet_aton($host) || die "unknown host");
          socket(SOCKET, PF_INET, SOCK_STREAM, getprotobyname('tcp')) || die "socket: $!";
          connect(SOCKET, $hispaddr) || die "bind: $!";
          my $rtime = '    ';
          read(SOCKET, $rtime, 4);
          close(SOCKET);
          my $histime = unpack("N", $rtime) - $SECS_of_70_YEARS;
          printf "%8d %s\\n", $histime - time, scalar localtime($histime);
        }
        """
      try expectRows(try RunningProgram.tool("perl", ["-e", client, daemon.port("time"), "127.0.0.1", "127.0.0.1"]), 2)
    }
  }

  /// It sends the text "0" where RFC 868 wants an empty datagram.
  @Test func itsDatagramClientReadsBegatd() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let client = """
        use strict; use Socket;
        my ($count, $hispaddr, $rin, $rout, $rtime) = (0);
        my $SECS_of_70_YEARS = 2208988800;
        my $port = shift;
        socket(SOCKET, PF_INET, SOCK_DGRAM, getprotobyname('udp')) || die "socket: $!";
        bind(SOCKET, sockaddr_in(0, INADDR_ANY)) || die "bind: $!";
        for my $host (@ARGV) {
          $count++;
          defined(send(SOCKET, 0, 0, sockaddr_in($port, inet_aton($host)))) || die "send $host: $!";
        }
        $rin = '';
        vec($rin, fileno(SOCKET), 1) = 1;
        while ($count && select($rout = $rin, undef, undef, 10.0)) {
          $rtime = '';
          ($hispaddr = recv(SOCKET, $rtime, 4, 0)) || die "recv: $!";
          my $histime = unpack("N", $rtime) - $SECS_of_70_YEARS;
          printf "%8d %s\\n", $histime - time, scalar localtime($histime);
          $count--;
        }
        """
      try expectRows(
        try RunningProgram.tool("perl", ["-e", client, daemon.port("time", datagram: true), "127.0.0.1"]), 1)
    }
  }

  /// Each with a difference of a second at most.
  private func expectRows(_ program: RunningProgram, _ count: Int) throws {
    let differences = program.output.lines.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
    #expect(differences.count == count && differences.allSatisfy { abs($0) <= 1 }, "\(program.output.text)")
  }

  /// The part that the TCP server and the Unix server have in common.
  private static let forking = """
    use strict; use Socket; use Carp;
    $| = 1;
    my $waitedpid = 0;
    sub REAPER { $waitedpid = wait; $SIG{CHLD} = \\&REAPER; }
    $SIG{CHLD} = \\&REAPER;
    sub spawn {
      my $coderef = shift;
      my $pid;
      if (!defined($pid = fork)) { return; } elsif ($pid) { return; }
      $| = 1;
      open(STDIN, "<&Client") || die "can't dup client to stdin";
      open(STDOUT, ">&Client") || die "can't dup client to stdout";
      exit &$coderef();
    }

    """
}
