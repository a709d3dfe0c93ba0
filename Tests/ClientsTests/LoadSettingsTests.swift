@_spi(Begat) import NameService
import Testing

@testable import Clients

@Suite struct LoadSettingsTests {
  @Test("say what cannot be")
  func sayWhatCannotBe() throws {
    let good = LoadSettings(target: try ConnectionTarget("127.0.0.1", port: "7"))
    #expect(good.problem == nil)
    func problem(_ change: (inout LoadSettings) -> Void) -> String? {
      var settings = good
      change(&settings)
      return settings.problem
    }
    for count in [0, -1, 100_001] { #expect(problem { $0.concurrency = count } == "--concurrency is 1 to 100000") }
    #expect(problem { $0.end = .connections(0) } == "--connections is at least 1")
    #expect(problem { $0.expectedBytes = -1 } == "--expect-bytes is not negative")
    #expect(problem { $0.sentBytes = -1 } == "--send-bytes is not negative")
    for count in [-1, 64_517] { #expect(problem { $0.sources = count } == "--sources is 0 to 64516") }
    for count in [-1, 1_000_001] { #expect(problem { $0.held = count } == "--hold is 0 to 1000000") }
    #expect(problem { $0.timeout = .zero } == "--timeout is more than 0")
    for rate in [0, -1, 0.0009, 1_000_001, .nan] {
      #expect(problem { $0.rate = rate } == "--rate is 0.001 to 1000000 in a second")
    }
    #expect(problem { $0.rate = 0.001 } == nil && problem { $0.rate = 1_000_000 } == nil)
    #expect(problem { $0.sources = 64_516 } == nil && problem { $0.concurrency = 100_000 } == nil)
  }

  @Test("say which options datagrams exclude")
  func sayWhatDatagramsExclude() throws {
    func problem(_ change: (inout LoadSettings) -> Void) throws -> String? {
      var settings = LoadSettings(target: try ConnectionTarget("127.0.0.1", port: "7"))
      settings.usesDatagrams = true
      change(&settings)
      return settings.problem
    }
    #expect(try problem { _ in } == nil)
    #expect(try problem { $0.held = 1 } == "--hold is for connections, not for --udp")
    #expect(try problem { $0.proxy = .one } == "--proxy is for connections, not for --udp")
    #expect(try problem { $0.sentBytes = 16_385 } == "--send-bytes is at most 16384 with --udp")
    #expect(try problem { $0.sentBytes = 16_384 } == nil)
  }

  @Test("have more slots at a rate, and less patience with datagrams")
  func haveDefaults() throws {
    var settings = LoadSettings(target: try ConnectionTarget("127.0.0.1", port: "7"))
    #expect(settings.slotCount == 16 && settings.patience == .seconds(10))
    settings.rate = 5
    #expect(settings.slotCount == 1000)
    settings.usesDatagrams = true
    #expect(settings.patience == .seconds(1))
    settings.concurrency = 3
    settings.timeout = .seconds(2)
    #expect(settings.slotCount == 3 && settings.patience == .seconds(2))
  }
}
