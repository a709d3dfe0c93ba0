import Testing

@testable import Settings

@Suite struct NearestNameTests {
  @Test(
    "finds what was meant",
    arguments: [
      ("max-conections", "max-connections"), ("max_connections", "max-connections"), ("Backlog", "backlog"),
      ("listen-steram", "listen-stream"), ("idletimeout", "idle-timeout"), ("serv", "serve"), ("usr", "user"),
      ("sreve", "serve"), ("socketmode", "socket-mode"), ("listendatgrm", "listen-datagram"), ("gruop", "group"),
    ])
  func findsWhatWasMeant(name: String, meant: String) {
    #expect(nearestName(to: name, among: ServiceSettings.keys.map(\.name)) == meant)
  }

  @Test(
    "suggests nothing that is far", arguments: ["", "x", "port", "protocol", "zzzzzzzz", "maximum-connections"])
  func suggestsNothingFar(name: String) {
    #expect(nearestName(to: name, among: ServiceSettings.keys.map(\.name)) == nil)
  }

  @Test("is not slow on long names")
  func isNotSlow() {
    #expect(nearestName(to: String(repeating: "x", count: 1 << 20), among: ["user"]) == nil)
  }

  @Test(
    "counts mistakes",
    arguments: [
      ("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("abc", "abd", 1), ("abc", "xabc", 1), ("kitten", "sitting", 3),
    ]
  )
  func countsMistakes(first: String, second: String, distance: Int) {
    #expect(editDistance(first, second, limit: 3) == distance)
    #expect(editDistance(second, first, limit: 3) == distance)
  }
}
