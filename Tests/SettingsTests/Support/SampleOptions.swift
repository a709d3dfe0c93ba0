import Admission
import TestSupport
import UnixIPC

@testable import Settings

extension ListenerOptions {
  static func random(using random: inout SeededRandom) -> ListenerOptions {
    func maybe<Value>(_ value: @autoclosure () -> Value) -> Value? { Bool.random(using: &random) ? value() : nil }
    func number<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type) -> Number {
      Number.random(in: 0...(.max), using: &random)
    }
    func descriptor() -> CInt { CInt.random(in: 0...(.max), using: &random) }
    func duration() -> Duration { .milliseconds(Int64.random(in: 1...100_000_000, using: &random)) }
    func text() -> String {
      ["a", "--serve", "x=y", "", "é ", "@", "/p q", "none", "\n"].randomElement(using: &random)!
    }
    func texts() -> [String] { (0..<Int.random(in: 0...3, using: &random)).map { _ in text() } }

    var options = ListenerOptions()
    options.name = ["", "a", "time-2", "A_b", "9"].randomElement(using: &random)!
    options.serve = maybe(BuiltIn.allCases.randomElement(using: &random)!)
    options.sockets = (0..<Int.random(in: 0...3, using: &random)).map { _ in descriptor() }
    options.listenStream = texts()
    options.listenDatagram = texts()
    options.backlog = CInt.random(in: 1...65535, using: &random)
    func peer() -> AccessPeer {
      switch Int.random(in: 0...3, using: &random) {
      case 0: .anyUser
      case 1: .user(number(UInt32.self))
      case 2:
        .network(
          IPNetwork(IPv4Address(rawValue: number(UInt32.self)), prefixLength: .random(in: 0...32, using: &random)))
      default:
        .network(
          IPNetwork(
            IPv6Address(high: number(UInt64.self), low: number(UInt64.self)),
            prefixLength: .random(in: 0...128, using: &random)))
      }
    }
    func peers() -> [AccessPeer] { (0..<Int.random(in: 0...3, using: &random)).map { _ in peer() } }
    func rate() -> RateLimit? {
      ["1/s", "50/s burst 100", "1000000/d burst 1", "7/m", "3/h burst 1000"].randomElement(using: &random).flatMap(
        RateLimit.init)
    }
    func limit() -> UInt64 { max(1, number(UInt64.self)) }
    options.bindOptions = BindOptions(isFree: Bool.random(using: &random), device: maybe("eth0.1"))
    options.admission.maxConnections = Int.random(in: 1...1_000_000, using: &random)
    options.admission.maxConnectionsPerSource = Int.random(in: 1...1_000_000, using: &random)
    options.admission.rate = maybe(rate()) ?? nil
    options.admission.ratePerSource = maybe(rate()) ?? nil
    options.admission.sourcePrefix = SourcePrefix(
      ipv4: .random(in: 1...32, using: &random), ipv6: .random(in: 1...128, using: &random))
    options.admission.whenFull = WhenFull.allCases.randomElement(using: &random)!
    options.admission.allow = peers()
    options.admission.deny = peers()
    options.refusal = maybe(["x", "Sorry.", "--", " é "].randomElement(using: &random)!)
    options.maxDuration = maybe(duration())
    options.keepAlive = Bool.random(using: &random)
    options.relay = Bool.random(using: &random)
    options.wait = Bool.random(using: &random)
    options.program.words = texts()
    options.program.environment = texts().map { "A_1=\($0)" }
    options.program.workingDirectory = "/" + text()
    options.program.umask = UInt32.random(in: 0...0o777, using: &random)
    options.program.nice = CInt.random(in: -20...19, using: &random)
    options.program.limitMemory = maybe(UInt64.random(in: 1...(1 << 62), using: &random))
    options.program.limitCPU = maybe(limit())
    options.program.limitOpenFiles = maybe(limit())
    options.program.limitProcesses = maybe(limit())
    options.commands = texts().enumerated().map { AddedCommand(name: "c\($0)", words: ["/" + $1] + texts()) }
    options.datagramPorts = (0..<Int.random(in: 0...3, using: &random)).map { _ in number(UInt16.self) }
    options.firstByteTimeout = maybe(duration())
    options.idleTimeout = maybe(duration())
    options.drainTimeout = maybe(duration()) ?? .zero
    options.resolveNames = Bool.random(using: &random)
    options.log = ConnectionLog.allCases.randomElement(using: &random)!
    options.user = maybe(number(UInt32.self))
    options.group = maybe(number(UInt32.self))
    options.groups = (0..<Int.random(in: 0...3, using: &random)).map { _ in number(UInt32.self) }
    options.databases = texts()
    options.offensive = Bool.random(using: &random)
    options.maxLength = maybe(Int.random(in: 1...(.max), using: &random))
    options.stdio = Bool.random(using: &random)
    options.channel = maybe(descriptor())
    options.scoreboard = maybe(descriptor())
    options.names = maybe(descriptor())
    options.nameRequests = maybe(descriptor())
    options.help = Bool.random(using: &random)
    options.version = Bool.random(using: &random)
    return options
  }
}
