import Settings
import Testing

/// What a service offers, and through which sockets.
struct Circumstance: Hashable, Sendable, CustomTestStringConvertible {
  enum Offered: Hashable, Sendable {
    case builtIn(BuiltIn)
    /// The command server with a command of the administrator's.
    case commands
    case exec, relay, wait

    static let all = BuiltIn.allCases.map(Offered.builtIn) + [.commands, .exec, .relay, .wait]
  }

  enum Sockets: CaseIterable {
    case stream, datagram, unixStream, unixDatagram, abstractStream, mixed
    /// From the service manager.
    case passed
    /// One connection on standard input and output.
    case stdio
  }

  let offered: Offered
  let sockets: Sockets

  var testDescription: String { "\(offered), \(sockets)" }

  static let all = Offered.all.flatMap { offered in Sockets.allCases.map { Circumstance(offered: offered, sockets: $0) }
  }
  static let possible = all.filter(\.isPossible)

  // MARK: - What is true of it

  var isStdio: Bool { sockets == .stdio }
  var isProgram: Bool { offered == .exec || offered == .relay || offered == .wait }
  /// begat accepts the clients, not a program.
  var accepts: Bool { offered != .wait }
  var hasDatagrams: Bool { sockets == .datagram || sockets == .unixDatagram || sockets == .mixed }
  var hasStreams: Bool { !isStdio && sockets != .datagram && sockets != .unixDatagram }
  var hasInternet: Bool { [.stream, .datagram, .mixed, .passed].contains(sockets) }
  var hasInternetStreams: Bool { [.stream, .mixed, .passed].contains(sockets) }
  var bindsStreams: Bool { hasStreams && sockets != .passed }
  var bindsInternet: Bool { hasInternet && sockets != .passed }
  var bindsPaths: Bool { [.unixStream, .unixDatagram, .mixed].contains(sockets) }
  var measuresTime: Bool { !isProgram || offered == .relay }
  var runsPrograms: Bool { isProgram || offered == .commands }
  var tellsFortunes: Bool {
    [.builtIn(.hello), .builtIn(.fortune), .builtIn(.command), .commands].contains(offered)
  }
  /// Only begatd can offer it.
  var isOfBegatd: Bool { offered == .builtIn(.status) || offered == .builtIn(.haproxyAgent) }
  /// Its datagrams could be used against third parties.
  var couldBeAbused: Bool { [.builtIn(.fortune), .builtIn(.echo), .builtIn(.chargen)].contains(offered) }

  /// Whether there is such a service.
  var isPossible: Bool {
    if isStdio { return !isProgram && !isOfBegatd }
    guard hasDatagrams else { return true }
    return switch offered {
    case .builtIn(.hello), .builtIn(.command), .builtIn(.status), .builtIn(.haproxyAgent), .commands, .exec, .relay:
      false
    case .builtIn, .wait: true
    }
  }

  // MARK: - How it is written

  /// Keys and values of such a service.
  var base: [(name: String, value: RawValue)] {
    var base: [(name: String, value: RawValue)] = []
    switch offered {
    case .builtIn(let builtIn): base.append(("serve", .string(builtIn.rawValue)))
    case .commands:
      base += [
        ("serve", .string("command")), ("commands", .table([RawValue.Member("x", .list([.string("/bin/cat")]))])),
      ]
    case .exec, .relay, .wait: base.append(("exec", .list([.string("/bin/cat"), .string("-u")])))
    }
    if offered == .relay { base.append(("relay", .boolean(true))) }
    if offered == .wait { base.append(("wait", .boolean(true))) }
    if couldBeAbused, sockets == .datagram || sockets == .mixed {
      base.append(("allow", .list([.string("192.0.2.0/24")])))
    }
    if !streams.isEmpty { base.append(("listen-stream", .list(streams.map { .string($0) }))) }
    if !datagrams.isEmpty { base.append(("listen-datagram", .list(datagrams.map { .string($0) }))) }
    return base
  }

  var streams: [String] {
    switch sockets {
    case .stream: ["127.0.0.1:7"]
    case .unixStream: ["/run/x"]
    case .abstractStream: ["@x"]
    case .mixed: ["127.0.0.1:7", "/run/x"]
    case .passed: ["fd:web"]
    case .datagram, .unixDatagram, .stdio: []
    }
  }

  var datagrams: [String] {
    switch sockets {
    case .datagram: ["127.0.0.1:7"]
    case .unixDatagram: ["/run/y"]
    case .mixed: ["127.0.0.1:7", "/run/y"]
    case .stream, .unixStream, .abstractStream, .passed, .stdio: []
    }
  }

  /// Kinds of the sockets that a service manager passes.
  var passedKinds: Set<ServiceMode.SocketKind> { sockets == .passed ? [.internetStream, .unixStream] : [] }

  /// Kinds of all of its sockets, which a listener of begatd's gets passed.
  var kinds: Set<ServiceMode.SocketKind> {
    switch sockets {
    case .stream: [.internetStream]
    case .datagram: [.internetDatagram]
    case .unixStream, .abstractStream: [.unixStream]
    case .unixDatagram: [.unixDatagram]
    case .mixed: Set(ServiceMode.SocketKind.allCases)
    case .passed: [.internetStream, .unixStream]
    case .stdio: []
    }
  }
}
