import Admission
import TestSupport
@_spi(Begat) import UnixCore

@testable import Settings

extension ListenerOptions {
  /// Options with values that a command line can express.
  static func random(using random: inout SeededRandom) -> ListenerOptions {
    func maybe<Value>(_ value: @autoclosure () -> Value) -> Value? { Bool.random(using: &random) ? value() : nil }
    func one<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random)! }
    func some<Value>(_ value: () -> Value) -> [Value] {
      (0..<Int.random(in: 0...3, using: &random)).map { _ in value() }
    }
    func descriptor() -> CInt { CInt.random(in: 3...(.max), using: &random) }
    func duration() -> Duration { .milliseconds(Int64.random(in: 1...100_000_000, using: &random)) }
    func text() -> String { one(["a", "--serve", "x=y", "é ", "@", "/p q", "none", "\n", "false", "--", "=", "\\\""]) }
    func argument() -> String { Bool.random(using: &random) ? "" : text() }
    func path() -> String { "/" + argument() }
    func rate() -> RateSetting {
      let limit = RateLimit(one(["1/s", "50/s burst 100", "1000000/d burst 1", "7/m", "3/h burst 1000"]))
      return one([.standard, .unlimited, limit.map { .at($0) } ?? .standard])
    }
    func limit() -> UInt64 { UInt64.random(in: 1...UInt64(Int64.max), using: &random) }
    func account() -> String { one(["root", "0", "4294967294", "a b", "--user", "é"]) }

    var options = ListenerOptions()
    options.name = one(["", "a", "time-2", "A_b"])
    options.serve = maybe(one(BuiltIn.allCases))
    options.exec = Bool.random(using: &random) ? [] : [path()] + some(argument)
    options.sockets = some(descriptor)
    options.listenStream = some(text)
    options.listenDatagram = some(text)
    options.socketMode = UInt32.random(in: 0...0o777, using: &random)
    options.socketUser = maybe(account())
    options.socketGroup = maybe(account())
    options.backlog = CInt.random(in: 1...65535, using: &random)
    options.freeBind = Bool.random(using: &random)
    options.bindToDevice = maybe("eth0.1")
    options.keepAlive = Bool.random(using: &random)
    options.user = maybe(account())
    options.group = maybe(account())
    options.groups = some { UInt32.random(in: 0...(.max - 1), using: &random) }
    options.allow = maybe(some(text))
    options.deny = some(text)
    options.denyExempt = some(text)
    options.proxyFrom = some(text)
    options.proxyTimeout = duration()
    options.proxyVersion = one([.any, .one, .two])
    options.admission.denyTime = maybe(
      DenyTime(
        duration(), after: maybe(Int.random(in: 1...DenyTime.maxRefusals, using: &random))))
    options.refusal = maybe(one(["x", "Sorry.", "--", " é "]))
    options.admission.maxConnections = Int.random(in: 1...1_000_000, using: &random)
    options.admission.maxConnectionsPerSource = Int.random(in: 1...1_000_000, using: &random)
    options.rate = rate()
    options.ratePerSource = rate()
    options.admission.sourcePrefix = SourcePrefix(
      ipv4: .random(in: 1...32, using: &random), ipv6: .random(in: 1...128, using: &random))
    options.admission.whenFull = one(WhenFull.allCases)
    options.spareProcesses = Int.random(in: 0...64, using: &random)
    options.firstByteTimeout = maybe(duration())
    options.idleTimeout = maybe(duration())
    options.maxDuration = maybe(duration())
    options.drainTimeout = maybe(duration()) ?? .zero
    options.relay = Bool.random(using: &random)
    options.wait = Bool.random(using: &random)
    options.program.environment = ["A_1", "b", "_"].prefix(Int.random(in: 0...3, using: &random)).map {
      EnvironmentVariable($0, one(["a", "", "x=y", "--", " é "]))
    }
    options.program.workingDirectory = path()
    options.program.umask = UInt32.random(in: 0...0o777, using: &random)
    options.program.nice = CInt.random(in: -20...19, using: &random)
    options.program.limitMemory = maybe(UInt64.random(in: 1...(1 << 62), using: &random))
    options.program.limitCPU = maybe(UInt64.random(in: 1...315_360_000, using: &random))
    options.program.limitOpenFiles = maybe(limit())
    options.program.limitFileSize = maybe(UInt64.random(in: 1...(1 << 62), using: &random))
    options.program.limitProcesses = maybe(limit())
    options.program.loginEnvironment = Bool.random(using: &random)
    options.program.readOnlyPaths = some { path() }
    options.program.readWritePaths = some { path() }
    options.program.network = one([.any, .none])
    options.program.allowSetUserID = Bool.random(using: &random)
    options.sandbox = one([.on, .required, .off])
    options.commands = some { 0 }.indices.map { AddedCommand(name: "c\($0)", words: [path()] + some(argument)) }
    options.fortune.databases = some(path)
    options.fortune.offensive = Bool.random(using: &random)
    options.fortune.maxLength = maybe(Int.random(in: 1...(.max), using: &random))
    options.showPeers = Bool.random(using: &random)
    options.serverNames = some { one(["a", "status.example.org", "x_y-1.Z"]) }
    options.weight = one(AgentWeight.allCases)
    options.resolveNames = maybe(Bool.random(using: &random))
    options.log = one(ConnectionLog.allCases)
    options.datagramPorts = some { UInt16.random(in: 1...(.max), using: &random) }
    options.stdio = Bool.random(using: &random)
    options.channel = maybe(descriptor())
    options.keptChannel = maybe(descriptor())
    options.scoreboard = maybe(descriptor())
    options.closingSockets = some { descriptor() }
    options.admissionBook = maybe(descriptor())
    options.column = Int.random(in: 0...3, using: &random)
    options.bans = maybe(descriptor())
    options.banNumber = UInt32.random(in: 0...(.max), using: &random)
    options.names = maybe(descriptor())
    options.nameRequests = maybe(descriptor())
    options.help = Bool.random(using: &random)
    options.version = Bool.random(using: &random)
    return options
  }

  /// Options of which not one has its default.
  static var everyOption: ListenerOptions {
    var options = ListenerOptions()
    options.name = "n"
    options.serve = .command
    options.exec = ["/bin/cat", "--", "-u", "", "--serve"]
    options.relay = true
    options.wait = true
    options.sockets = [3, 9]
    options.listenStream = ["[::1]:1"]
    options.listenDatagram = ["@d"]
    options.socketMode = 0o600
    options.socketUser = "root"
    options.socketGroup = "daemon"
    options.backlog = 1
    options.freeBind = true
    options.bindToDevice = "lo"
    options.keepAlive = false
    options.user = "0"
    options.group = "4294967294"
    options.sandbox = .off
    options.groups = [1, 2]
    options.allow = ["2001:db8::/32", "unix:*"]
    options.deny = ["unix:7", "192.0.2.7"]
    options.denyExempt = ["unix:8"]
    options.proxyFrom = ["192.0.2.9", "unix:9"]
    options.proxyTimeout = .seconds(3)
    options.proxyVersion = .two
    options.admission.denyTime = DenyTime(.seconds(600), after: 5)
    options.refusal = "Sorry,  too many."
    options.admission.maxConnections = 1
    options.admission.maxConnectionsPerSource = 2
    options.rate = .at(RateLimit("50/s burst 100")!)
    options.ratePerSource = .unlimited
    options.admission.sourcePrefix = SourcePrefix(ipv4: 1, ipv6: 128)
    options.admission.whenFull = .refuse
    options.spareProcesses = 3
    options.firstByteTimeout = .seconds(1)
    options.idleTimeout = nil
    options.maxDuration = .milliseconds(1500)
    options.drainTimeout = .zero
    options.program.environment = [
      EnvironmentVariable("A", "1"), EnvironmentVariable("B", ""), EnvironmentVariable("C", "x=y"),
    ]
    options.program.workingDirectory = "/usr"
    options.program.loginEnvironment = true
    options.program.umask = 0o7
    options.program.nice = -20
    options.program.limitMemory = 64 << 20
    options.program.limitCPU = 1
    options.program.limitOpenFiles = UInt64(Int64.max)
    options.program.limitFileSize = 1
    options.program.limitProcesses = 3
    options.program.readOnlyPaths = ["/usr", "/a b"]
    options.program.readWritePaths = ["/srv"]
    options.program.network = .none
    options.program.allowSetUserID = true
    options.commands = [
      AddedCommand(name: "uptime", words: ["/usr/bin/uptime"]),
      AddedCommand(name: "x", words: ["/a=b", "", "--commands.x", "=", "y=/z"]), AddedCommand(name: "z", words: ["/z"]),
    ]
    options.fortune.databases = ["/d"]
    options.fortune.offensive = true
    options.fortune.maxLength = 1
    options.showPeers = true
    options.serverNames = ["a.example", "b"]
    options.weight = .free
    options.resolveNames = false
    options.log = .none
    options.logAddress = .prefix
    options.logRate = .unlimited
    options.datagramPorts = [7, 65535]
    options.stdio = true
    options.channel = 4
    options.keptChannel = 12
    options.scoreboard = 5
    options.closingSockets = [8]
    options.admissionBook = 9
    options.column = 3
    options.bans = 10
    options.banNumber = 11
    options.names = 6
    options.nameRequests = 7
    options.help = true
    options.version = true
    return options
  }
}
