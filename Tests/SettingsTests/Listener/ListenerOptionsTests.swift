import Admission
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Settings

@Suite struct ListenerOptionsTests {
  private func options(_ words: [String]) throws -> ListenerOptions { try ListenerOptions.parse(words).options }

  @Test("are read as they were rendered")
  func areReadAgain() throws {
    var random = SeededRandom(state: 2)
    for _ in 0..<3000 {
      let sample = ListenerOptions.random(using: &random)
      #expect(try options(sample.arguments) == sample, "\(sample.arguments)")
    }
  }

  /// The properties of a value that have the default, by their names.
  private func unchanged(_ value: Any, _ fallback: Any, in table: String) -> [String] {
    zip(Mirror(reflecting: value).children, Mirror(reflecting: fallback).children).compactMap { mine, usual in
      "\(mine.value)" == "\(usual.value)" ? "\(table).\(mine.label ?? "")" : nil
    }
  }

  @Test("have a key for every property")
  func haveAKeyForEveryProperty() throws {
    let every = ListenerOptions.everyOption
    let usual = ListenerOptions()
    // A property without a value in the sample would not be noticed below.  A disabled service has no listener, and
    // slots of spares, peers and rates of admission follow from other keys.
    let left =
      unchanged(every, usual, in: "options") + unchanged(every.service, usual.service, in: "service")
      + unchanged(every.service.program, usual.service.program, in: "program")
      + unchanged(every.service.fortune, usual.service.fortune, in: "fortune")
      + unchanged(every.service.admission, usual.service.admission, in: "admission")
      + unchanged(every.service.admission.sourcePrefix, usual.service.admission.sourcePrefix, in: "prefix")
    #expect(
      left == [
        "service.enabled", "service.spareSlots", "admission.allow", "admission.deny", "admission.proxies",
        "admission.rate", "admission.ratePerSource", "admission.denyExempt",
      ])
    #expect(try options(every.arguments) == every, "\(every.arguments)")
    for key in ListenerOptions.keys { #expect(!key.isDefault(in: every), "\(key.name)") }
  }

  @Test("are each needed")
  func areEachNeeded() throws {
    let every = ListenerOptions.everyOption
    for key in ListenerOptions.keys {
      var fewer = every
      key.reset(in: &fewer)
      #expect(key.isDefault(in: fewer) && fewer != every, "\(key.name)")
      let said = try ListenerOptions.parse(fewer.arguments)
      #expect(said.options == fewer && !said.said.contains(key.name), "\(key.name)")
    }
    #expect(try ListenerOptions.parse(every.arguments).said == Set(ListenerOptions.keys.map(\.name) + ["exec"]))
  }

  @Test("end at two hyphens, after which stands the program")
  func endAtTwoHyphens() throws {
    let options = try options(["--name", "a", "--", "/bin/cat", "--name", "b", "--", "-x", ""])
    #expect(options.name == "a" && options.exec == ["/bin/cat", "--name", "b", "--", "-x", ""])
    // As a value they are one.
    #expect(try self.options(["--refusal", "--", "--stdio"]).refusal == "--")
  }

  @Test("gather the words of a command and the variables of a program")
  func gatherMembers() throws {
    let options = try options([
      "--commands.a", "/bin/a", "--commands.a", "-x", "--commands.a=", "--name", "n", "--commands.b", "/b",
      "--commands.a", "b=/c", "--environment.A=x=y", "--environment.B", "",
    ])
    #expect(
      options.commands == [
        AddedCommand(name: "a", words: ["/bin/a", "-x", "", "b=/c"]), AddedCommand(name: "b", words: ["/b"]),
      ])
    #expect(options.program.environment == [EnvironmentVariable("A", "x=y"), EnvironmentVariable("B", "")])
  }

  @Test("of datagrams have a rate where none is set, and never wait")
  func haveDatagramLimits() throws {
    var options = ListenerOptions()
    #expect(options.datagramAdmission.rate == .datagrams && options.datagramAdmission.whenFull == .refuse)
    #expect(options.datagramAdmission.ratePerSource == .datagramsPerSource)
    options.rate = .at(try #require(RateLimit("1/s")))
    options.ratePerSource = .at(try #require(RateLimit("2/s")))
    options.admission.deny = [.anyUser]
    #expect(options.datagramAdmission.rate == RateLimit("1/s"))
    #expect(options.datagramAdmission.ratePerSource == RateLimit("2/s") && options.datagramAdmission.deny == [.anyUser])
  }

  @Test("are read with an equals sign too")
  func areReadWithEquals() throws {
    let words = [
      "--serve=echo", "--listen-stream=@a=b", "--fortune.databases=", "--idle-timeout=none", "--resolve-names=false",
    ]
    let options = try options(words)
    #expect(options.serve == .echo && options.listenStream == ["@a=b"] && options.fortune.databases == [])
    #expect(options.idleTimeout == nil && options.resolveNames == false)
  }

  @Test("that are true or false are true alone", arguments: ListenerOptions.keys.filter(\.isBoolean).map(\.name))
  func areTrueAlone(name: String) throws {
    let key = try #require(ListenerOptions.key(named: name))
    for words in [["--\(name)"], ["--\(name)", "--name", "n"], ["--\(name)", "true"], ["--\(name)=true"]] {
      #expect(try key.value(in: options(words)) == .boolean(true), "\(words)")
    }
    for words in [["--\(name)", "false"], ["--\(name)=false"]] {
      #expect(try key.value(in: options(words)) == .boolean(false), "\(words)")
    }
  }

  @Test("are rendered only where they differ from the default")
  func areRendered() throws {
    #expect(ListenerOptions().arguments == [])
    #expect(try ListenerOptions.parse([]) == ParsedListenerOptions())
    var options = ListenerOptions()
    options.idleTimeout = nil
    options.stdio = true
    options.allow = []
    #expect(options.arguments == ["--allow", "", "--idle-timeout", "none", "--stdio", "true"])
  }

  @Test("gather what may be repeated, and take the last of the rest")
  func areRepeated() throws {
    let parsed = try ListenerOptions.parse([
      "--socket", "3", "--socket", "4", "--backlog", "5", "--backlog", "6", "--groups", "1", "--groups", "2",
    ])
    #expect(parsed.options.sockets == [3, 4] && parsed.options.backlog == 6 && parsed.options.groups == [1, 2])
    #expect(parsed.said == ["socket", "backlog", "groups"])
  }

  @Test("are read in a time that grows with their number")
  func areReadInTime() throws {
    var options = ListenerOptions()
    options.service.allow = (0..<60_000).map { "10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)/32" }
    options.service.program.environment = (0..<20_000).map { EnvironmentVariable("K\($0)", "v") }
    options.service.commands = [AddedCommand(name: "x", words: ["/bin/echo"] + (0..<20_000).map { "\($0)" })]
    let words = options.arguments
    var read: ListenerOptions?
    let duration = try ContinuousClock().measure { read = try ListenerOptions.parse(words).options }
    #expect(read == options)
    #expect(duration < .seconds(20), "\(duration)")
  }

  @Test("never crash on any words")
  func neverCrash() {
    var random = SeededRandom(state: 3)
    let names =
      ListenerOptions.keys.map { "--" + $0.name + ($0.isOpenTable ? ".A" : "") } + [
        "--", "-", "", "=", "--environment", "--.",
      ]
    let values = [
      "0", "1", "-1", "5/s", "unix:*", "/b", "A=b", "64M", "8,9", "077", "::/0", "99999999999999999999", "none",
      "true", "echo", "/a", "@", "1,2", "\0", "é", "10s", "=", "-9223372036854775808",
    ]
    for _ in 0..<20_000 {
      let words = (0..<Int.random(in: 0...5, using: &random)).map { _ in
        let name = names.randomElement(using: &random)!
        let value = values.randomElement(using: &random)!
        return [name, value, "\(name)=\(value)"].randomElement(using: &random)!
      }
      guard let options = try? options(words) else { continue }
      // What was taken can be handed on.
      #expect((try? self.options(options.arguments)) == options, "\(words)")
    }
  }
}
