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
    #expect(problem { $0.sources = 64_516 } == nil && problem { $0.concurrency = 100_000 } == nil)
  }
}
