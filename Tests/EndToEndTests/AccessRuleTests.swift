import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Who may connect, and that `begat check --from` says the same.
@Suite(.timeLimit(.minutes(30)))
struct AccessRuleTests {
  /// Lists of a service, and clients with whether they may connect.
  struct Rules: CustomTestStringConvertible {
    let testDescription: String
    /// Nil leaves the key out.
    var allow: [String]?
    var deny: [String] = []
    let clients: [(source: String, isAdmitted: Bool)]

    var lines: String { (allow.map { "allow = \($0)\n" } ?? "") + "deny = \(deny)\n" }
  }

  static let rules = [
    Rules(
      testDescription: "an empty list of the allowed is nobody", allow: [],
      clients: [("127.0.0.1", false), ("::1", false)]),
    Rules(
      testDescription: "the longest prefix decides",
      allow: ["127.0.5.0/24", "127.0.6.1", "127.0.7.0/25"], deny: ["127.0.0.0/8", "127.0.5.7", "127.0.7.0/24"],
      clients: [
        ("127.0.0.1", false), ("127.0.5.1", true), ("127.0.5.7", false), ("127.0.6.1", true), ("127.0.6.2", false),
        ("127.0.7.127", true), ("127.0.7.128", false), ("::1", false),
      ]),
    Rules(
      testDescription: "one within the other within the other",
      allow: ["127.0.0.0/9", "127.0.0.0/24", "127.0.0.0/30"], deny: ["127.0.0.0/8", "127.0.0.0/16", "127.0.0.0/29"],
      clients: [
        ("127.0.0.1", true), ("127.0.0.4", false), ("127.0.0.8", true), ("127.0.1.1", false), ("127.1.0.1", true),
        ("127.128.0.1", false),
      ]),
    Rules(
      testDescription: "with refusals alone all others may", deny: ["127.0.0.2", "127.64.0.0/10"],
      clients: [
        ("127.0.0.1", true), ("127.0.0.2", false), ("127.64.0.1", false), ("127.127.255.254", false),
        ("127.128.0.1", true), ("::1", true),
      ]),
    Rules(
      testDescription: "IPv6", allow: ["::/0", "127.0.0.2"], deny: ["::1"],
      clients: [("::1", false), ("127.0.0.1", false), ("127.0.0.2", true)]),
    Rules(
      testDescription: "IPv4 in IPv6 is IPv4", deny: ["::ffff:127.0.0.2", "::ffff:127.0.3.0/120"],
      clients: [("127.0.0.2", false), ("127.0.3.9", false), ("127.0.0.1", true), ("::1", true)]),
    Rules(
      testDescription: "the other family's whole is not this one", deny: ["::/0"],
      clients: [("127.0.0.1", true), ("::1", false)]),
  ]

  @Test(arguments: rules)
  func decideAndExplain(_ rules: Rules) throws {
    try withDaemon(configuration(rules)) { daemon in
      for (source, isAdmitted) in rules.clients {
        let (served, explained) = try (isServed(source, by: daemon), isExplained(source, by: daemon))
        #expect(served == isAdmitted && explained == isAdmitted, "\(source)")
      }
    }
  }

  /// The same configuration asked by check and by connecting, and a plain reading of the rules beside them.
  @Test(arguments: 1...6)
  func checkAgreesWithWhatHappens(seed: Int) throws {
    var random = Numbers(seed)
    // Few addresses, so that many entries concern each.
    func address() -> UInt32 {
      127 << 24 | random.next(below: 4) << 14 | random.next(below: 4) << 6 | random.next(below: 4)
    }
    func network() -> Network { Network(address(), length: 8 + Int(random.next(below: 25))) }
    let allow = (0..<Int(random.next(below: 5))).map { _ in network() }
    // The same in both lists is a mistake.
    let deny = (0..<Int(1 + random.next(below: 5))).map { _ in network() }
      .filter { network in !allow.contains { $0.text == network.text } }
    let sources = Set((0..<12).map { _ in address() | 1 }).sorted()
    let clients = sources.map { (Network.text($0), Network.isAdmitted($0, allow: allow, deny: deny)) }
    let rules = Rules(
      testDescription: "random", allow: allow.map(\.text), deny: deny.map(\.text), clients: clients)
    try withDaemon(configuration(rules)) { daemon in
      for (source, isAdmitted) in clients {
        let (served, explained) = try (isServed(source, by: daemon), isExplained(source, by: daemon))
        #expect(served == isAdmitted && explained == isAdmitted, "\(source): \(rules.lines)")
      }
    }
  }

  @Test func whoIsDeniedSeesAnOrderlyEndBeforeAnyByte() throws {
    let lines = ["deny = [\"127.0.0.2\"]", "max-connections-per-source = 4"]
    try withDaemon(SampleConfiguration.service("command", lines.joined(separator: "\n"))) { daemon in
      let address = try daemon.address("command")
      // More than the limit: somebody denied has no place.
      for _ in 0..<40 { #expect(try ask(address, from: "127.0.0.2") == []) }
      #expect(try Crowd(6, at: address, from: "127.0.0.1").served.count == 4)
      try daemon.log.awaitLines(containing: "allow and deny: 40 connections refused in ")
      #expect(daemon.log.lines(containing: "127.0.0.2 is not allowed: clients are refused").count == 1)
      #expect(daemon.log.lines(containing: "for 127.0.0.2").isEmpty)
    }
  }

  @Test func defaultsAndFilesOfServicesWorkTogether() throws {
    let directory = try TemporaryDirectory()
    try directory.make("conf.d")
    try directory.write(
      "[service.time]\nserve = \"time\"\nlisten-stream = [\"127.0.0.1:0\"]\nallow = [\n  \"127.0.5.0/24\",\n]\n",
      to: "conf.d/time.toml")
    let daemon = try Daemon("[defaults]\ndeny = [\"127.0.0.0/8\"]\n", in: directory)
    for (source, isAdmitted, place) in [
      ("127.0.5.1", true, "conf.d/time.toml:5:"),
      ("127.0.0.1", false, "begatd.toml:2:9: defaults.deny"),
    ] {
      #expect(try isServed(source, by: daemon) == isAdmitted)
      let check = try check(source, by: daemon)
      #expect(check.status == .exited(code: isAdmitted ? 0 : 1))
      #expect(check.output.text.contains(place), "\(check.output.text)")
    }
    try daemon.stop()
  }

  private func configuration(_ rules: Rules) -> String {
    "[service.time]\nserve = \"time\"\nlisten-stream = [\"127.0.0.1:0\", \"[::1]:0\"]\n" + rules.lines
  }

  private func isServed(_ source: String, by daemon: Daemon) throws -> Bool {
    let reply = try ask(daemon.address("time", source.contains(":") ? "[" : "127."), from: source)
    #expect(reply.isEmpty || Expected.isTime(reply))
    return !reply.isEmpty
  }

  private func isExplained(_ source: String, by daemon: Daemon) throws -> Bool {
    let check = try check(source, by: daemon)
    let isAdmitted = check.status == .exited(code: 0)
    #expect(isAdmitted || check.status == .exited(code: 1), "\(check.errors.text)")
    #expect(check.output.lines.first == "\(source) to time: \(isAdmitted ? "admitted" : "refused")")
    return isAdmitted
  }

  private func check(_ source: String, by daemon: Daemon) throws -> RunningProgram {
    try RunningProgram.run(
      try Programs.begat(), ["check", "--config", daemon.directory.path("begatd.toml"), "--from", source, "time"])
  }
}

/// A network of IPv4 as the rules have it, in the plainest way.
private struct Network {
  let bits: [Bool]
  let text: String

  init(_ address: UInt32, length: Int) {
    bits = Array(Network.bits(address).prefix(length))
    let masked = length == 0 ? 0 : address & ~0 << UInt32(32 - length)
    text = "\(Network.text(masked))/\(length)"
  }

  static func text(_ address: UInt32) -> String {
    [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
  }

  private static func bits(_ address: UInt32) -> [Bool] { (0..<32).map { address >> UInt32(31 - $0) & 1 == 1 } }

  static func isAdmitted(_ address: UInt32, allow: [Network], deny: [Network]) -> Bool {
    func longest(_ networks: [Network]) -> Int? {
      networks.filter { bits(address).starts(with: $0.bits) }.map(\.bits.count).max()
    }
    switch (longest(allow), longest(deny)) {
    case (let allowed?, let denied?): return allowed > denied
    case (_?, nil): return true
    case (nil, _?): return false
    case (nil, nil): return allow.isEmpty
    }
  }
}

/// The same numbers for the same seed.
private struct Numbers {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 }

  mutating func next(below limit: UInt32) -> UInt32 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt32(state >> 33) % limit
  }
}
