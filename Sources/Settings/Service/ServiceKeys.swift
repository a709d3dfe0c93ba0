/// Keys that belong together, under a heading of the configuration and the manual.
public struct KeyGroup<Table: SettingsTable>: Sendable {
  public let title: String
  /// Sentences before the keys.
  public let introduction: String
  public let keys: [Key<Table>]
}

extension ServiceSettings {
  public static let keys: [Key<ServiceSettings>] = groups.flatMap(\.keys)

  /// All keys, in the order of the manual.
  public static let groups: [KeyGroup<ServiceSettings>] = [
    offerGroup, socketGroup, identityGroup, accessGroup, proxyGroup, limitGroup, timeGroup, programGroup, fortuneGroup,
    statusGroup, agentGroup, otherGroup,
  ]

  private static let offerGroup = KeyGroup<ServiceSettings>(
    title: "Services and programs",
    introduction: """
      A service has either serve, for a built-in service, or exec, for a program.  A program runs as the service's user, \
      with the connection as descriptors 0 and 1 and the log as 2.
      """,
    keys: [
      Key("enabled", \.enabled, .boolean, "false keeps the table and serves nothing"),
      Key("serve", \.serve, optional: .choice, "the built-in service to offer"),
      Key(
        "exec", \.exec, .program, "the program to execute: an absolute path and arguments, never a shell",
        details: """
          The program is started for each connection, as the leader of a process group, with no descriptor but 0, 1 and \
          2.  It runs with PR_SET_NO_NEW_PRIVS, so that set-user-ID bits, and with them sudo, have no effect \
          without allow-set-user-id.
          """),
      Key(
        "relay", \.relay, .boolean,
        "put a process that measures time between client and program, which then sees no peer address",
        when: [.exec],
        details: """
          Do not use it for a program with host rules of its own (rsync's hosts allow, libwrap, sshd's Match address): \
          its descriptors 0 and 1 are a socket pair, and its rules admit or refuse the wrong clients.  Use allow and \
          deny instead, or the variables REMOTE_ADDR and TCPREMOTEIP, which hold the real address.  The relay keeps \
          first-byte-timeout and idle-timeout, and the log shows how many bytes passed.
          """),
      Key(
        "wait", \.wait, .boolean, "hand the listening sockets to the program, which accepts clients itself",
        when: [.exec],
        details: """
          Each socket has a program of its own, as with inetd: the socket is its descriptors 0, 1 and 3, and LISTEN_FDS \
          is 1.  It is started when a client comes, and again when it has ended and another one comes; after 20 starts \
          in vain the starts are delayed, up to 10 s.  All keys about clients have no effect then; rate limits how often \
          it is started.
          """),
    ])

  private static let socketGroup = KeyGroup<ServiceSettings>(
    title: "Addresses",
    introduction: """
      An address is "2345" (IPv4 and IPv6), "192.0.2.1:2345", "[2001:db8::1]:2345", "/path", "@abstract" or "fd:NAME" (a \
      socket of that FileDescriptorName= from systemd).  The port may be a name of /etc/services, or 0 for any free one. \
       %t is the directory of begatd's own sockets: $RUNTIME_DIRECTORY, else /run/begat for root, else \
      $XDG_RUNTIME_DIR/begat, else /tmp/begat-UID.
      """,
    keys: [
      Key(
        "listen-stream", \.listenStream, .list(of: "addresses", .address), "addresses to accept connections at",
        when: [.listening]),
      Key(
        "listen-datagram", \.listenDatagram, .list(of: "addresses", .address), "addresses to answer datagrams at",
        when: [.listening],
        details: """
          Datagrams from ports below 1024, and from ports at which begat itself answers datagrams, are not answered: two \
          servers could otherwise answer each other forever.
          """),
      Key(
        "socket-mode", \.socketMode, .mode(example: "0660"), "permissions of Unix sockets: who may connect",
        when: [.listening, .bindsPaths],
        details: """
          A socket that systemd passes for the service must have the mode already, and likewise the owner, the group and \
          the interface that socket-user, socket-group and bind-to-device name: otherwise begatd does not start.
          """),
      Key(
        "socket-user", \.socketUser, optional: .user(example: "root"),
        "owner of Unix sockets; needs CAP_CHOWN; unset: begat's own user", when: [.listening, .bindsPaths]),
      Key(
        "socket-group", \.socketGroup, optional: .account("group", example: "root"),
        "group of Unix sockets; unset: begat's own group", when: [.listening, .bindsPaths]),
      Key(
        "backlog", \.backlog, .integer(in: 1...65_535),
        "connections that may wait to be accepted; net.core.somaxconn is the kernel's limit",
        when: [.listening, .bindsStreams]),
      Key(
        "free-bind", \.freeBind, .boolean, "bind addresses that the machine does not have yet",
        when: [.listening, .bindsInternet]),
      Key(
        "bind-to-device", \.bindToDevice, optional: .interface,
        "take only what comes through this network interface; unset: any", when: [.listening, .bindsInternet]),
      Key(
        "keep-alive", \.keepAlive, .boolean, "find out after 110 s that a silent client's machine is gone",
        when: [.listening, .accepting, .internetConnections],
        details: """
          A client that answers is kept, however long it reads nothing; idle-timeout and max-duration decide about it. \
           Data that a dead client does not acknowledge is given up after some 15 minutes (tcp_retries2 of tcp(7)).
          """),
    ])

  private static let identityGroup = KeyGroup<ServiceSettings>(
    title: "Users and confinement",
    introduction: "",
    keys: [
      Key(
        "user", \.user, optional: .user(example: "nobody"),
        "user that the service runs as; needs CAP_SETUID and CAP_SETGID; unset: one of its own if begatd has them, else begatd's",
        details: """
          The user of its own is called begat-NAME; identity-range explains it.  Services that share a user, such as nobody, can \
          read, signal and trace each other's programs.  A user without an entry in the user database is given by its \
          number; its group is then the same number, and its home is /.  The group after a colon is what the key group \
          sets: both may be set if they are the same.  A begatd that runs as root but lacks either capability refuses \
          a service that does not set user = "root".
          """),
      Key(
        "group", \.group, optional: .account("group", example: "nogroup"),
        "group that the service runs as; unset: the user's own"),
      Key(
        "sandbox", \.sandbox, .choice,
        """
        confine the service to its needs: "required" does not start it if the kernel cannot, "off" does not confine it
        """,
        details: """
          The rules are set once, before the service's first client.  A built-in service opens no file, makes no socket, \
          executes nothing and sends no signal to other services.  A program is refused the system calls that no service \
          needs, such as ptrace, mount, bpf and io_uring_setup.  begatd logs once at its start if the kernel lacks \
          something, and `begat check` shows it.
          """),
    ])

  private static let accessGroup = KeyGroup<ServiceSettings>(
    title: "Access",
    introduction: """
      Entries are networks, addresses, "unix:USER" and "unix:*" (any client on a Unix socket).  The longest prefix \
      decides.  `begat check --from ADDRESS SERVICE` explains.
      """,
    keys: [
      Key(
        "allow", \.allow, optional: .list(of: "networks or unix:USER", .peer),
        "clients that may connect, and no others; [] is nobody; unset: everybody", when: [.accepting],
        details: """
          fortune, echo and chargen answer datagrams only of networks that allow names: others could have the answers \
          sent to a third party.
          """),
      Key(
        "deny", \.deny, .list(of: "networks or unix:USER", .peer), "clients that may not connect", when: [.accepting]),
      Key(
        "deny-time", \.admission.denyTime, .denyTime,
        "how long a source is refused after a crash of its connection's process; \"10m after 5\": after so many refusals by its own limits within that time, too; unset: never",
        when: [.listening, .accepting, .connections],
        details: """
          A source that makes processes crash may be looking for a way in.  Refusals by max-connections-per-source and \
          rate-per-source count, those during the time do not make it longer.  `begat allow` ends it.
          """),
      Key(
        "deny-exempt", \.denyExempt, .list(of: "networks or unix:USER", .peer),
        "clients for which deny-time does not hold", when: [.listening, .accepting, .connections]),
      Key(
        "refusal", \.refusal, optional: .line, "line sent to refused clients, if that needs no waiting; unset: none",
        when: [.accepting, .connections]),
    ])

  private static let limitGroup = KeyGroup<ServiceSettings>(
    title: "Limits",
    introduction: """
      A source is a network of clients, or a user of this machine on Unix sockets.  Connections over a source's limit are \
      refused; over the service's limit they wait.  Rates are written "50/s", "20/m", "100/h", "1000/d"; a burst of a \
      quarter of the count is allowed after a pause, unless another is set: "50/s burst 100".
      """,
    keys: [
      Key(
        "max-connections", \.admission.maxConnections, .integer(in: 1...1_000_000), "connections at once",
        when: [.listening, .accepting, .connections]),
      Key(
        "max-connections-per-source", \.admission.maxConnectionsPerSource, .integer(in: 1...1_000_000),
        "connections at once of one source", when: [.listening, .accepting, .connections],
        details: """
          A place is free when the connection's process has ended, which may be a moment after the client has seen the \
          end.
          """),
      Key(
        "rate", \.rate, .rate,
        "new connections; unset: any number, but datagrams \"1000/s\", and starts with wait \"50/s burst 50\"",
        when: [.listening]),
      Key(
        "rate-per-source", \.ratePerSource, .rate,
        "new connections of one source; unset: any number, but datagrams \"10/s\"", when: [.listening, .accepting]),
      Key(
        "source-prefix.ipv4", \.admission.sourcePrefix.ipv4, .integer(in: 1...32, example: 24),
        "bits of an IPv4 address that make a source", when: [.listening, .accepting, .internet]),
      Key(
        "source-prefix.ipv6", \.admission.sourcePrefix.ipv6, .integer(in: 1...128, example: 56),
        "bits of an IPv6 address that make a source", when: [.listening, .accepting, .internet]),
      Key(
        "when-full", \.admission.whenFull, .choice,
        "clients over max-connections or rate: \"wait\" in the backlog, or \"refuse\" them",
        when: [.listening, .accepting, .connections]),
      Key(
        "spare-processes", \.spareProcesses, .integer(in: 0...64),
        "the maximum number of processes that wait for a client; 0: none",
        when: [.listening, .accepting, .connections, .forking],
        details: """
          A built-in service has such spare processes from its first client on: as many as were used at the same time \
          during the last minute, and none after a minute without clients.  A spare accepts one client itself, so that the \
          client does not wait for the fork; it is as confined as any connection process, and begat ps does not count it \
          as a connection.  While the service is at a limit, refuses clients, or gets more of them than spares can be made \
          for, its listener accepts them as it does without spares.
          """),
    ])

  private static let timeGroup = KeyGroup<ServiceSettings>(
    title: "Time limits",
    introduction: "Durations are written \"500ms\", \"30s\", \"10m\", \"1h30m\", \"2d\"; \"none\" is no limit.",
    keys: [
      Key(
        "first-byte-timeout", \.firstByteTimeout, .timeLimit, "until the client sends anything at all",
        when: [.accepting, .timed, .connections, .awaiting],
        details: """
          For status it is the time for the whole head of a request, and 5s where it is not set.  It has no effect on \
          haproxy-agent.
          """),
      Key(
        "idle-timeout", \.idleTimeout, .timeLimit, "for one line of the client, or for taking an answer",
        when: [.accepting, .timed, .connections]),
      Key(
        "max-duration", \.maxDuration, .timeLimit, "for a whole connection, or a program with wait",
        when: [.connections],
        details: "The process group is sent SIGTERM, and 5 s later SIGKILL."),
    ])

  private static let programGroup = KeyGroup<ServiceSettings>(
    title: "Environment and limits of programs",
    introduction: "For the program of exec, and for the commands of the command server.",
    keys: [
      Key(
        "environment", \.program.environment, .environment, "variables beside PATH and those about the client",
        when: [.programs]),
      Key(
        "login-environment", \.program.loginEnvironment, .boolean,
        "set HOME, USER, LOGNAME and SHELL as for a login of the service's user", when: [.programs],
        details: """
          They come from the user's entry in passwd(5); without one, HOME is / and the names are the user's number.  \
          Variables of the same names in environment override them.
          """),
      Key(
        "working-directory", \.program.workingDirectory, .absolutePath(of: "a directory", example: "/srv"),
        "directory that they start in", when: [.programs]),
      Key(
        "umask", \.program.umask, .mode(example: "0027"), "umask that they start with", when: [.programs]),
      Key(
        "nice", \.program.nice, .integer(in: -20...19, example: 10),
        "niceness, from -20 (first) to 19 (last); below 0 needs CAP_SYS_RESOURCE", when: [.programs]),
      Key(
        "limit-memory", \.program.limitMemory, .size, "address space of each; unset: begatd's own limit",
        when: [.programs]),
      Key(
        "limit-file-size", \.program.limitFileSize, .size,
        "largest file that each may write; unset: begatd's own limit", when: [.programs]),
      Key(
        "limit-cpu", \.program.limitCPU, .wholeSeconds, "processor time of each; unset: begatd's own limit",
        when: [.programs]),
      Key(
        "limit-open-files", \.program.limitOpenFiles, optional: .integer(in: 1...UInt64(Int64.max), example: 64),
        "descriptors of each; unset: the limit that begatd was started with", when: [.programs]),
      Key(
        "limit-processes", \.program.limitProcesses, optional: .integer(in: 1...UInt64(Int64.max), example: 100),
        "processes of the service's user on the whole machine; unset: begatd's own limit", when: [.programs]),
      Key(
        "read-only-paths", \.program.readOnlyPaths,
        .list(of: "absolute paths", .absolutePath(of: "a file or directory", example: "/usr")),
        """
        files and directories that they may read and execute, with all that is below; unset: file permissions alone \
        decide
        """,
        when: [.programs],
        details: """
          With this key or read-write-paths, they can reach only these paths, the program itself, its libraries, \
          /proc, and null, zero, full, random and urandom of /dev.  A script needs its interpreter, and most programs \
          need some files of /etc: try [\"/usr\", \"/etc\"] first.  This needs Landlock (Linux 5.13).
          """),
      Key(
        "read-write-paths", \.program.readWritePaths,
        .list(of: "absolute paths", .absolutePath(of: "a file or directory", example: "/srv/upload")),
        "files and directories that they may change as well", when: [.programs]),
      Key(
        "network", \.program.network, .choice,
        "\"none\" leaves them the client's connection and Unix sockets: no other socket can be made", when: [.programs]),
      Key(
        "allow-set-user-id", \.program.allowSetUserID, .boolean,
        "let them become other users by set-user-ID programs such as sudo: the service is not confined then",
        when: [.programs],
        details: """
          The kernel takes neither a filter nor Landlock's rules from a process that may still gain privileges.  Programs \
          of root, such as sshd -i, need it as well: without it they have no capability and cannot become other users.  \
          The capabilities that such programs gain stay only if a service has the key when begatd starts: a reload \
          that adds the first one is refused.
          """),
      Key(
        "commands", \.commands, .commands,
        "further commands of the command server: a program each, 10 s and 64 KiB of output at most", when: [.command]),
    ])

  private static let fortuneGroup = KeyGroup<ServiceSettings>(
    title: "Fortunes",
    introduction: "For hello, fortune and command.",
    keys: [
      Key(
        "fortune.databases", \.fortune.databases,
        .list(of: "absolute paths", .absolutePath(of: "a file or directory", example: "/usr/share/games/fortunes")),
        "files or directories of fortunes; []: those of /usr/share/games/fortunes", when: [.fortunes]),
      Key("fortune.offensive", \.fortune.offensive, .boolean, "tell offensive fortunes too", when: [.fortunes]),
      Key(
        "fortune.max-length", \.fortune.maxLength, optional: .integer(in: 1...Int.max, example: 500),
        "bytes of the longest fortune told; unset: any length", when: [.fortunes]),
    ])

  private static let otherGroup = KeyGroup<ServiceSettings>(
    title: "Names and logs",
    introduction: "",
    keys: [
      Key(
        "resolve-names", \.resolveNames, optional: .boolean, "greet hosts by their names; unset: true for hello",
        when: [.listening, .internetClients, .names]),
      Key(
        "log", \.log, .choice, "connections that leave a line in the log: \"problems\" are those that failed",
        when: [.listening, .connections],
        details: """
          With \"open\", connections leave a line when they begin and one when they end.  A connection is a problem if its \
          process or program failed, crashed, or was ended by a signal of another process.
          """),
      Key(
        "log-rate", \.logRate, .rate, "connections that have a line of their own; others are summed up once a second",
        when: [.listening, .connections],
        details: """
          A line a second says how many connections have no line, how they ended, and how many bytes they received and \
          sent.  Problems have a line each whatever the rate is.  With \"none\" every connection has a line; systemd's \
          journal then suppresses messages of a busy service unless LogRateLimitBurst= is large enough, as in the unit that \
          comes with begatd.
          """),
      Key(
        "log-address", \.logAddress, .choice,
        "how much of clients' addresses is written down: \"prefix\" is their network, \"none\" nothing",
        when: [.accepting],
        details: """
          It holds for the log, the titles of processes, begat ps and begat top, and the status page.  A network is 24 \
          bits of an IPv4 address or 48 of an IPv6 address, without the port; the user of a Unix socket and names of hosts \
          are written down only with \"full\".  Programs get the whole address in any case, and what they log themselves \
          is as they write it.  begat status shows networks that were denied by begat deny as they were given.
          """),
    ])
}

extension Syntax where Value == String {
  /// An address as text, which `AddressReader` gives a meaning.
  static let address = text(
    "ADDRESS", "an address in quotes such as \"127.0.0.1:2345\"", example: "127.0.0.1:2345", numbers: 0..<65_536
  ) { !$0.isEmpty }

  /// A client as text, which `PeerReader` gives a meaning.
  static let peer = text(
    "PEER", "a network or unix:USER in quotes such as \"192.0.2.0/24\"", example: "192.0.2.0/24", numbers: 0..<0
  ) { !$0.isEmpty }
}
