import UnixIPC

/// One option of begat-listener: how it is called, read, rendered and explained.
struct ListenerOption: Sendable {
  let name: String
  /// Stands for the value in the help text; nil for an option without one.
  let placeholder: String?
  /// What a value must be.
  let expectation: String
  let explanation: String
  /// Puts a value into the settings; false when it is none.
  let apply: @Sendable (inout ListenerOptions, String) -> Bool
  /// The values to render; empty where the setting is the default.
  let values: @Sendable (ListenerOptions) -> [String]

  static let all: [ListenerOption] = served + limits + identity + fortunes + supervised + general

  private static let served = [
    ListenerOption(
      "serve", "SERVICE", "one of \(BuiltIn.names)", "the built-in service to offer",
      {
        $0.serve = BuiltIn(rawValue: $1); return $0.serve != nil
      },
      { $0.serve.map { [$0.rawValue] } ?? [] }),
    ListenerOption(
      "name", "NAME", "1 to 64 letters, digits, - and _",
      "what the service is called in titles and logs (default: SERVICE)",
      {
        $0.name = $1
        return (1...64).contains($1.utf8.count) && $1.utf8.allSatisfy(isNameByte)
      },
      { $0.name.isEmpty ? [] : [$0.name] }),
    ListenerOption(
      "listen-stream", "ADDRESS", "an address",
      "bind and listen there: 127.0.0.1:2345, [::1]:2345, /path or @abstract; may be repeated",
      {
        $0.listenStream.append($1); return true
      }, { $0.listenStream }),
    ListenerOption(
      "listen-datagram", "ADDRESS", "an address", "answer datagrams there; may be repeated",
      {
        $0.listenDatagram.append($1); return true
      },
      { $0.listenDatagram }),
    ListenerOption(
      "socket", "FD", "a descriptor's number", "serve on this open socket, listening or datagram; may be repeated",
      { options, text in CInt(decimal: text).map { options.sockets.append($0) } != nil },
      { $0.sockets.map(String.init) }),
    ListenerOption(
      "stdio", nil, "nothing", "serve one connection on standard input and output, then end",
      { options, _ in
        options.stdio = true; return true
      },
      { $0.stdio ? [""] : [] }),
    ListenerOption(
      "backlog", "N", "a number from 1 to 65535", "connections that may wait to be accepted (4096)",
      { number(&$0.backlog, $1, 1...65535) }, { $0.backlog == 4096 ? [] : [String($0.backlog)] }),
  ]

  private static let limits = [
    ListenerOption(
      "max-connections", "N", "a number from 1 to 1000000", "at most so many at once; further clients wait (256)",
      { number(&$0.maxConnections, $1, 1...1_000_000) }, { $0.maxConnections == 256 ? [] : [String($0.maxConnections)] }
    ),
    ListenerOption(
      "first-byte-timeout", "TIME", "a time such as 10s, or none",
      "end a connection whose client has sent nothing by then (none)",
      { limit(&$0.firstByteTimeout, $1) }, { $0.firstByteTimeout.map { [DurationText.render($0)] } ?? [] }),
    ListenerOption(
      "idle-timeout", "TIME", "a time such as 10m, or none",
      "end a connection whose client takes longer for one line (10m)",
      { limit(&$0.idleTimeout, $1) },
      { $0.idleTimeout == .seconds(600) ? [] : [$0.idleTimeout.map(DurationText.render) ?? "none"] }),
    ListenerOption(
      "keep-alive", "YES|NO", "yes or no", "find out after 110 s that a peer is gone without a word (yes)",
      { yesOrNo(&$0.keepAlive, $1) }, { $0.keepAlive ? [] : ["no"] }),
    ListenerOption(
      "drain-timeout", "TIME", "a time such as 30s", "after SIGTERM, let open connections go on so long (30s)",
      { options, text in DurationText.parse(text).map { options.drainTimeout = $0 } != nil },
      { $0.drainTimeout == .seconds(30) ? [] : [DurationText.render($0.drainTimeout)] }),
  ]

  private static let identity = [
    ListenerOption(
      "user", "UID", "a user's number (begatd takes names)", "give up root for this user before the first client",
      { options, text in UInt32(decimal: text).map { options.user = $0 } != nil },
      { $0.user.map { [String($0)] } ?? [] }),
    ListenerOption(
      "group", "GID", "a group's number (begatd takes names)", "and for this group (default: the user's number)",
      { options, text in UInt32(decimal: text).map { options.group = $0 } != nil },
      { $0.group.map { [String($0)] } ?? [] }),
    ListenerOption(
      "groups", "GID,...", "groups' numbers with commas between", "and for these supplementary groups (none)",
      { options, text in
        let groups = text.split(separator: ",", omittingEmptySubsequences: false).map { UInt32(decimal: $0) }
        options.groups = groups.compactMap { $0 }
        return !groups.contains(nil)
      }, { $0.groups.isEmpty ? [] : [$0.groups.map(String.init).joined(separator: ",")] }),
  ]

  private static let fortunes = [
    ListenerOption(
      "databases", "PATH", "a path",
      "fortune database, or directory of them; may be repeated (/usr/share/games/fortunes)",
      {
        $0.databases.append($1); return true
      }, { $0.databases }),
    ListenerOption(
      "offensive", nil, "nothing", "tell offensive fortunes too",
      { options, _ in
        options.offensive = true; return true
      },
      { $0.offensive ? [""] : [] }),
    ListenerOption(
      "max-length", "N", "a number of bytes", "leave out fortunes longer than that",
      { options, text in Int(decimal: text).map { options.maxLength = $0 } != nil && options.maxLength != 0 },
      { $0.maxLength.map { [String($0)] } ?? [] }),
  ]

  private static let supervised = [
    ListenerOption(
      "channel", "FD", "a descriptor's number", "the supervisor's channel; when it closes, drain and end",
      { descriptor(&$0.channel, $1) }, { $0.channel.map { [String($0)] } ?? [] }),
    ListenerOption(
      "scoreboard", "FD", "a descriptor's number", "the memory object in which connections are shown",
      { descriptor(&$0.scoreboard, $1) }, { $0.scoreboard.map { [String($0)] } ?? [] }),
    ListenerOption(
      "names", "FD", "a descriptor's number", "the memory object with hosts' names",
      { descriptor(&$0.names, $1) }, { $0.names.map { [String($0)] } ?? [] }),
    ListenerOption(
      "name-requests", "FD", "a descriptor's number", "the socket that takes questions for hosts' names",
      { descriptor(&$0.nameRequests, $1) }, { $0.nameRequests.map { [String($0)] } ?? [] }),
  ]

  private static let general = [
    ListenerOption(
      "resolve-names", "YES|NO", "yes or no", "let hello greet hosts by name, where a supervisor looks them up (yes)",
      { yesOrNo(&$0.resolveNames, $1) }, { $0.resolveNames ? [] : ["no"] }),
    ListenerOption(
      "log", "WHICH", "one of \(ConnectionLog.names)", "which connections leave a line in the log (connections)",
      { options, text in ConnectionLog(rawValue: text).map { options.log = $0 } != nil },
      { $0.log == .connections ? [] : [$0.log.rawValue] }),
    ListenerOption(
      "help", nil, "nothing", "show this text",
      { options, _ in
        options.help = true; return true
      }, { $0.help ? [""] : [] }),
    ListenerOption(
      "version", nil, "nothing", "show the version",
      { options, _ in
        options.version = true; return true
      }, { $0.version ? [""] : [] }),
  ]

  private init(
    _ name: String, _ placeholder: String?, _ expectation: String, _ explanation: String,
    _ apply: @escaping @Sendable (inout ListenerOptions, String) -> Bool,
    _ values: @escaping @Sendable (ListenerOptions) -> [String]
  ) {
    self.name = name
    self.placeholder = placeholder
    self.expectation = expectation
    self.explanation = explanation
    self.apply = apply
    self.values = values
  }
}

private func number<Number: FixedWidthInteger>(_ setting: inout Number, _ text: String, _ range: ClosedRange<Number>)
  -> Bool
{
  guard let value = Number(decimal: text), range.contains(value) else { return false }
  setting = value
  return true
}

/// What begatd's configuration allows in a service's name: nothing that would need escaping.
private func isNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
    true
  default: false
  }
}

private func yesOrNo(_ setting: inout Bool, _ text: String) -> Bool {
  setting = text == "yes"
  return text == "yes" || text == "no"
}

private func descriptor(_ setting: inout CInt?, _ text: String) -> Bool {
  setting = CInt(decimal: text)
  return setting != nil
}

private func limit(_ setting: inout Duration?, _ text: String) -> Bool {
  setting = DurationText.parse(text)
  return setting.map { $0 > .zero } ?? (text == "none")
}

extension ListenerOptions {
  /// What `--help` shows.
  public static var helpText: String {
    var text = """
      Usage: begat-listener --serve SERVICE [--listen-stream ADDRESS | --socket FD]... [OPTION]...
             begat-listener --serve SERVICE --stdio

      Offers one service and gives every connection a process of its own.  Listens on the addresses and sockets named,
      and on those that a service manager passed (LISTEN_FDS).  SIGTERM stops accepting and waits for open connections,
      a second one ends them.

      Services: \(BuiltIn.names)


      """
    for option in ListenerOption.all {
      let head = "  --\(option.name)" + (option.placeholder.map { " " + $0 } ?? "")
      text += head + String(repeating: " ", count: max(2, 30 - head.count)) + option.explanation + "\n"
    }
    text += "\nExit status: 0, 1 when something failed, 64 for a wrong command line.\n"
    return text
  }
}
