import Admission
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

  static let all: [ListenerOption] = served + admission + limits + programs + identity + fortunes + supervised + general

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
        return (1...64).contains($1.utf8.count) && $1.utf8.allSatisfy(isServiceNameByte)
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
    ListenerOption(
      "free-bind", "YES|NO", "yes or no", "bind addresses that the machine does not have yet (no)",
      { yesOrNo(&$0.bindOptions.isFree, $1) }, { $0.bindOptions.isFree ? ["yes"] : [] }),
    ListenerOption(
      "bind-to-device", "INTERFACE", "an interface's name", "take only what comes through this interface",
      {
        $0.bindOptions.device = $1
        return (1...BindOptions.longestDevice).contains($1.utf8.count)
      }, { $0.bindOptions.device.map { [$0] } ?? [] }),
  ]

  private static let admission = [
    ListenerOption(
      "max-connections", "N", "a number from 1 to 1000000", "at most so many at once; see --when-full (256)",
      { number(&$0.admission.maxConnections, $1, 1...1_000_000) },
      { $0.admission.maxConnections == 256 ? [] : [String($0.admission.maxConnections)] }),
    ListenerOption(
      "max-connections-per-source", "N", "a number from 1 to 1000000",
      "at most so many of one source, or of one user on Unix sockets; more are refused (32)",
      { number(&$0.admission.maxConnectionsPerSource, $1, 1...1_000_000) },
      { $0.admission.maxConnectionsPerSource == 32 ? [] : [String($0.admission.maxConnectionsPerSource)] }),
    ListenerOption(
      "rate", "RATE", "a rate such as 50/s or \"50/s burst 100\"", "at most so many new ones; see --when-full (none)",
      { rate(&$0.admission.rate, $1) }, { $0.admission.rate.map { [$0.description] } ?? [] }),
    ListenerOption(
      "rate-per-source", "RATE", "a rate such as 20/s or 100/m", "at most so many new ones of one source (none)",
      { rate(&$0.admission.ratePerSource, $1) }, { $0.admission.ratePerSource.map { [$0.description] } ?? [] }),
    ListenerOption(
      "source-prefix", "N,N", "two numbers, at most 32 and 128",
      "bits of an IPv4 and of an IPv6 address that make a source (32,64)",
      { prefix(&$0.admission.sourcePrefix, $1) },
      {
        let prefix = $0.admission.sourcePrefix
        return prefix == SourcePrefix() ? [] : ["\(prefix.ipv4),\(prefix.ipv6)"]
      }),
    ListenerOption(
      "when-full", "WHAT", "wait or refuse", "what clients do that --max-connections or --rate has no room for (wait)",
      { options, text in WhenFull(rawValue: text).map { options.admission.whenFull = $0 } != nil },
      { $0.admission.whenFull == .wait ? [] : [$0.admission.whenFull.rawValue] }),
    ListenerOption(
      "refusal", "TEXT", "a line of text", "say this to the refused, as far as that can be done without waiting",
      {
        $0.refusal = $1
        return !$1.isEmpty && !$1.unicodeScalars.contains { $0.properties.generalCategory == .control }
      }, { $0.refusal.map { [$0] } ?? [] }),
    ListenerOption(
      "allow", "PEER", "a network, unix:UID or unix:*", "let these clients connect, and nobody else; may be repeated",
      { options, text in AccessPeer(text).map { options.admission.allow.append($0) } != nil },
      { $0.admission.allow.map(\.description) }),
    ListenerOption(
      "deny", "PEER", "a network, unix:UID or unix:*", "refuse these; the longer prefix decides; may be repeated",
      { options, text in AccessPeer(text).map { options.admission.deny.append($0) } != nil },
      { $0.admission.deny.map(\.description) }),
  ]

  private static let limits = [
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
      "max-duration", "TIME", "a time such as 1h, or none", "end any connection after so long (none)",
      { limit(&$0.maxDuration, $1) }, { $0.maxDuration.map { [DurationText.render($0)] } ?? [] }),
    ListenerOption(
      "keep-alive", "YES|NO", "yes or no", "find out after 110 s that a peer is gone without a word (yes)",
      { yesOrNo(&$0.keepAlive, $1) }, { $0.keepAlive ? [] : ["no"] }),
    ListenerOption(
      "drain-timeout", "TIME", "a time such as 30s", "after SIGTERM, let open connections go on so long (30s)",
      { options, text in DurationText.parse(text).map { options.drainTimeout = $0 } != nil },
      { $0.drainTimeout == .seconds(30) ? [] : [DurationText.render($0.drainTimeout)] }),
  ]

  private static let programs = [
    ListenerOption(
      "relay", "YES|NO", "yes or no", "stand between client and program: keep time limits, count bytes (no)",
      { yesOrNo(&$0.relay, $1) }, { $0.relay ? ["yes"] : [] }),
    ListenerOption(
      "wait", "YES|NO", "yes or no", "give the program the listening sockets themselves (no)",
      { yesOrNo(&$0.wait, $1) }, { $0.wait ? ["yes"] : [] }),
    ListenerOption(
      "environment", "NAME=VALUE", "NAME=VALUE", "a variable for programs; may be repeated",
      { options, text in
        options.program.environment.append(text)
        let name = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return name.count == 2 && EnvironmentVariable.isName(name[0]) && !EnvironmentVariable.isReserved(name[0])
      }, { $0.program.environment }),
    ListenerOption(
      "working-directory", "PATH", "an absolute path", "where programs start (/)",
      {
        $0.program.workingDirectory = $1
        return $1.hasPrefix("/")
      }, { $0.program.workingDirectory == "/" ? [] : [$0.program.workingDirectory] }),
    ListenerOption(
      "umask", "MODE", "octal digits, at most 0777", "permissions that files of programs do not get (0022)",
      { options, text in
        guard let digits = UInt32(decimal: text), let mask = UInt32(String(digits), radix: 8) else { return false }
        options.program.umask = mask
        return mask <= 0o777
      }, { $0.program.umask == 0o022 ? [] : ["0" + String($0.program.umask, radix: 8)] }),
    ListenerOption(
      "nice", "N", "a number from -20 to 19", "added to the nice value of programs (0)",
      { options, text in
        let number = text.hasPrefix("-") ? CInt(decimal: text.dropFirst()).map { -$0 } : CInt(decimal: text)
        guard let number, (-20...19).contains(number) else { return false }
        options.program.nice = number
        return true
      }, { $0.program.nice == 0 ? [] : [String($0.program.nice)] }),
    ListenerOption(
      "limit-memory", "SIZE", "a size such as 64M", "address space of a program",
      { options, text in
        options.program.limitMemory = SizeText.parse(text)
        return options.program.limitMemory.map { $0 > 0 } ?? false
      }, { $0.program.limitMemory.map { [SizeText.render($0)] } ?? [] }),
    ListenerOption(
      "limit-cpu", "SECONDS", "a number of seconds", "processor time of a program",
      { count(&$0.program.limitCPU, $1) }, { $0.program.limitCPU.map { [String($0)] } ?? [] }),
    ListenerOption(
      "limit-open-files", "N", "a number", "descriptors of a program",
      { count(&$0.program.limitOpenFiles, $1) }, { $0.program.limitOpenFiles.map { [String($0)] } ?? [] }),
    ListenerOption(
      "limit-processes", "N", "a number", "processes of the programs' user, on the whole machine",
      { count(&$0.program.limitProcesses, $1) }, { $0.program.limitProcesses.map { [String($0)] } ?? [] }),
    // Rendered together by `ListenerOptions.arguments`: their order counts.
    ListenerOption(
      "command", "NAME=PATH", "NAME=/PATH, the name in lower case and none of the built-in ones",
      "a command for the command server; may be repeated",
      { options, text in
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, AddedCommand.isName(parts[0]), parts[1].hasPrefix("/") else { return false }
        options.commands.append(AddedCommand(name: parts[0], words: [parts[1]]))
        return true
      }, { _ in [] }),
    ListenerOption(
      "command-argument", "TEXT", "an argument, after --command", "a further argument of that command; may be repeated",
      { options, text in
        guard !options.commands.isEmpty else { return false }
        options.commands[options.commands.count - 1].words.append(text)
        return true
      }, { _ in [] }),
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
      "datagram-port", "PORT", "a port", "a port of a datagram service of ours, never answered; may be repeated",
      { options, text in UInt16(decimal: text).map { options.datagramPorts.append($0) } != nil },
      { $0.datagramPorts.map(String.init) }),
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

private func rate(_ setting: inout RateLimit?, _ text: String) -> Bool {
  setting = RateLimit(text)
  return setting != nil || text == "none"
}

private func prefix(_ setting: inout SourcePrefix, _ text: String) -> Bool {
  let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int(decimal: $0) ?? 0 }
  guard numbers.count == 2, (1...32).contains(numbers[0]), (1...128).contains(numbers[1]) else { return false }
  setting = SourcePrefix(ipv4: numbers[0], ipv6: numbers[1])
  return true
}

private func count(_ setting: inout UInt64?, _ text: String) -> Bool {
  setting = UInt64(decimal: text)
  return setting.map { $0 > 0 } ?? false
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
             begat-listener [--listen-stream ADDRESS | --socket FD]... [OPTION]... -- PROGRAM [ARGUMENT]...
             begat-listener --serve SERVICE --stdio

      Offers one service, or a program, and gives every connection a process of its own.  Listens on the addresses and
      sockets named, and on those that a service manager passed (LISTEN_FDS).  SIGTERM stops accepting and waits for
      open connections, a second one ends them.

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
