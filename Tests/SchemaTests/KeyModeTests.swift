import Admission
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration
@testable import ForkingServer
@testable import Supervision

/// Every key in every circumstance: it is obeyed or refused with a reason, by both readers alike, and never ignored.
@Suite struct KeyModeTests {
  @Test("has an expectation for every key, of a value that is not the default")
  func hasExpectations() throws {
    let names = Set(ServiceSettings.keys.map(\.name))
    #expect(names == Set(ExpectedEffect.byKey.keys).union(ExpectedEffect.circumstantial))
    for (name, expected) in ExpectedEffect.byKey {
      let key = try #require(ServiceSettings.key(named: name))
      var settings = ServiceSettings()
      try key.read(expected.sample, into: &settings)
      #expect(!key.isDefault(in: settings), "\(name)")
      #expect(key.value(in: settings) == expected.sample, "\(name)")
    }
  }

  @Test("takes every circumstance that is possible, by both readers", arguments: Circumstance.all)
  func takesCircumstances(circumstance: Circumstance) {
    if !circumstance.isStdio {
      let reading = circumstance.readFile(circumstance.base)
      if case .obeyed = reading {
        #expect(circumstance.isPossible)
      } else {
        #expect(!circumstance.isPossible, "\(reading)")
      }
    }
    let words = circumstance.words(circumstance.base)
    let reading = circumstance.readWords(words, passed: circumstance.passedKinds)
    if case .obeyed = reading {
      #expect(circumstance.isPossible, "\(words)")
    } else {
      #expect(!circumstance.isPossible, "\(words): \(reading)")
    }
  }

  @Test(
    "refuses what is not possible with the same words",
    arguments: Circumstance.all.filter { !$0.isPossible && !$0.isStdio })
  func refusesAlike(circumstance: Circumstance) {
    guard case .refused(let key, let reason) = circumstance.readFile(circumstance.base),
      case .refused(let option, let text) = circumstance.readWords(
        circumstance.words(circumstance.base), passed: circumstance.passedKinds)
    else {
      Issue.record("was taken")
      return
    }
    #expect(key == option && reason == text)
  }

  @Test("is obeyed or refused in a file, in [defaults] and by begat-listener", arguments: Circumstance.possible)
  func isObeyedOrRefused(circumstance: Circumstance) throws {
    for key in ServiceSettings.keys where !ExpectedEffect.circumstantial.contains(key.name) {
      let expected = try #require(ExpectedEffect.byKey[key.name])
      let conflict = ExpectedEffect.conflict(of: key.name, in: circumstance)
      let check = KeyCheck(
        key: key, expected: expected, circumstance: circumstance,
        blamed: expected.hasEffect(circumstance) ? conflict : key.name)
      let reason = circumstance.isStdio ? nil : check.checkFile()
      if key.name != "enabled" { check.checkListener(reason: reason) }
      if !circumstance.isStdio { check.checkDefaults() }
    }
  }

  @Test("has either serve or exec", arguments: Circumstance.possible.filter { !$0.isStdio })
  func hasEitherServeOrExec(circumstance: Circumstance) {
    let settings =
      circumstance.isProgram
      ? circumstance.settings(with: "serve", .string("echo"))
      : circumstance.settings(with: "exec", .list([.string("/bin/cat")]))
    for reading in [
      circumstance.readFile(settings).verdict,
      circumstance.readWords(circumstance.words(settings), passed: circumstance.passedKinds).verdict,
    ] { #expect(reading == "exec: expected either serve or exec") }
  }

  @Test("listens nowhere with --stdio", arguments: ["listen-stream", "listen-datagram"], ["127.0.0.1:7", "@x"])
  func listensNowhere(name: String, address: String) {
    let circumstance = Circumstance(offered: .builtIn(.time), sockets: .stdio)
    let settings = circumstance.settings(with: name, .list([.string(address)]))
    #expect(
      circumstance.readWords(circumstance.words(settings), passed: []).verdict
        == "\(name): has no effect with stdio: one connection is served, nothing listens")
  }

  @Test("binds what it is told to", arguments: Circumstance.possible.filter { !$0.isStdio })
  func bindsAddresses(circumstance: Circumstance) throws {
    guard case .obeyed(let service) = circumstance.readFile(circumstance.base) else {
      Issue.record("was refused")
      return
    }
    #expect(service.streams.map(\.description) == circumstance.streams)
    #expect(service.datagrams.map(\.description) == circumstance.datagrams)
    let parsed = try ListenerOptions.parse(circumstance.words(circumstance.base))
    let settings = try ListenerSettings(parsed, passed: circumstance.passedKinds)
    #expect(settings.streams == service.streams && settings.datagrams == service.datagrams)
  }
}
