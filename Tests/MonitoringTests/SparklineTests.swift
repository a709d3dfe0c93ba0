import Testing

@testable import Monitoring

/// Pictures of a service's last minutes.
@Suite(.timeLimit(.minutes(30))) struct SparklineTests {
  private static func picture(accepted: [UInt32], refused: [UInt32] = []) -> String? {
    var service = ServiceStatus(name: "a", state: .serving)
    service.history = accepted
    service.refusedHistory = refused.isEmpty ? Array(repeating: 0, count: accepted.count) : refused
    var bytes: [UInt8] = []
    guard let picture = Sparkline(service) else { return nil }
    picture.append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let head = "<svg viewBox=\"0 0 4 40\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"

  @Test func hasAStepForEachChange() {
    #expect(
      Self.picture(accepted: [0, 5, 5, 10]) == Self.head + "<path class=\"a\" d=\"M0 40H1V21H3V1H4V40Z\"/></svg>")
  }

  @Test func putsRefusedOnTopOfAccepted() {
    #expect(
      Self.picture(accepted: [10, 0, 0, 0], refused: [10, 0, 0, 0]) == Self.head
        + "<path class=\"r\" d=\"M0 40V1H1V40H4V40Z\"/><path class=\"a\" d=\"M0 40V21H1V40H4V40Z\"/></svg>")
  }

  @Test func showsOneBesideThousands() {
    #expect(Self.picture(accepted: [100_000, 1, 0, 0])?.contains("V1H1V38H2V40") == true)
  }

  @Test func isAbsentWithoutClients() {
    #expect(Self.picture(accepted: [0, 0, 0, 0]) == nil)
    #expect(Self.picture(accepted: [], refused: []) == nil)
  }

  @Test func takesAnyNumber() {
    let most = [UInt32](repeating: .max, count: 4)
    #expect(Self.picture(accepted: most, refused: most)?.contains("V1H4V40Z") == true)
    // A forged answer may have histories of different lengths.
    #expect(Self.picture(accepted: [1, 2, 3, 4], refused: [1]) != nil)
  }
}
