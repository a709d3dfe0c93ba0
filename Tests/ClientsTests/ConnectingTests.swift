import TestSupport
import Testing
import UnixIPC

@testable import Clients

@Suite(.timeLimit(.minutes(1))) struct ConnectingTests {
  @Test("says for each address why it could not be reached")
  func saysWhy() {
    do throws(Unreachable) {
      _ = try ConnectionTarget.unix(.unixPath("/nonexistent/socket")).connect(within: .seconds(5))
      Issue.record("connected")
    } catch { #expect(error.reasons == ["connect /nonexistent/socket: No such file or directory"]) }
  }

  @Test("waits for a Unix socket whose backlog is full, as long as it is told")
  func waitsForABacklog() throws {
    let directory = try TemporaryDirectory()
    let address = SocketAddress.unixPath(directory["s"])
    let listener = try ListeningSocket(address, backlog: 0)
    let first = try ClientSocket.open(to: address, within: .seconds(5))
    do throws(CallFailure) {
      _ = try ClientSocket.open(to: address, within: .milliseconds(50))
      Issue.record("connected")
    } catch { #expect(error.errno == .wouldBlock) }
    #expect(first.number >= 0 && listener.descriptor.number >= 0)
  }

  @Test(
    "counts durations in nanoseconds, without overflow",
    arguments: [
      (.zero, 0), (.nanoseconds(1), 1), (.seconds(-1), -1_000_000_000), (.seconds(Int64.max), .max / 2),
      (.seconds(Int64.min), .min / 2), (.milliseconds(1500), 1_500_000_000),
    ] as [(Duration, Int64)])
  func countsNanoseconds(duration: Duration, nanoseconds: Int64) { #expect(duration.nanoseconds == nanoseconds) }
}
