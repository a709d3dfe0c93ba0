import Admission
import ControlProtocol
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite struct RefusalsTests {
  /// So many seconds after the machine's start.
  private func second(_ count: Int64) -> Deadline { Deadline(instant: count * 1_000_000_000) }

  private func refusals() -> Refusals {
    var limits = AdmissionLimits()
    limits.ratePerSource = RateLimit("20/s")
    var datagramLimits = limits
    datagramLimits.rate = .datagrams
    return Refusals(limits: limits, datagramLimits: datagramLimits)
  }

  private let address = SocketAddress.ipv4(IPv4Address(rawValue: 0x7f00_0002), port: 4711)
  private var flooder: Client { Client(address: address, prefix: SourcePrefix()) }

  @Test("says one line when a limit begins to bite, and one with the count when it ends")
  func saysTwoLines() {
    var refusals = refusals()
    #expect(refusals.due == .never && refusals.ended(.never) == [])
    #expect(
      refusals.refused(.ratePerSource, flooder, now: second(1))
        == "rate-per-source (20/s) reached by 127.0.0.2: clients are refused")
    for number in 2...2000 {
      #expect(refusals.refused(.ratePerSource, flooder, now: second(1).advanced(by: .milliseconds(number))) == nil)
    }
    #expect(refusals.ended(second(7)) == [])
    #expect(refusals.ended(second(8)) == ["rate-per-source: 2000 connections refused in 2s"])
    #expect(refusals.due == .never)
    // The next time is another one.
    #expect(refusals.refused(.ratePerSource, flooder, now: second(9)) != nil)
    #expect(refusals.ended(.never) == ["rate-per-source: 1 connection refused in 0s"])
  }

  @Test("keeps limits apart, and connections from datagrams")
  func keepsLimitsApart() {
    var refusals = refusals()
    let credentials = PeerCredentials(process: 1, user: 1000, group: 100)
    let user = Client(address: .unixUnnamed, credentials: credentials, prefix: SourcePrefix())
    #expect(refusals.refused(.denied, flooder, now: second(0)) == "127.0.0.2 is not allowed: clients are refused")
    #expect(
      refusals.refused(.maxConnectionsPerSource, user, now: second(0))
        == "max-connections-per-source (32) reached by user 1000: clients are refused")
    #expect(
      refusals.refusedDatagram(.rate, flooder, now: second(0)) == "rate (1000/s) reached: datagrams are not answered")
    #expect(
      refusals.refusedDatagram(.banned, flooder, now: second(0))
        == "127.0.0.2 is banned by begat deny: datagrams are not answered")
    #expect(refusals.ended(.never).count == 4)
    _ = refusals.refused(.banned, flooder, now: second(0))
    #expect(refusals.ended(.never) == ["begat deny: 1 connection refused in 0s"])
  }

  @Test("names the proxy whose connection is closed, and why, once")
  func namesTheProxy() {
    var refusals = refusals()
    #expect(
      refusals.closed(.problem(.noHeader), flooder, now: second(0))
        == "a connection of 127.0.0.2 is closed: no PROXY header; let the proxy send one (HAProxy: send-proxy-v2), or "
        + "change proxy-from")
    #expect(refusals.closed(.endOfStream, flooder, now: second(1)) == nil)
    #expect(
      refusals.closed(.late(.seconds(5)), flooder, now: second(1))
        == "a connection of 127.0.0.2 is closed: no complete PROXY header within proxy-timeout (5s)")
    #expect(
      refusals.refused(.notProxy, flooder, now: second(1)) == "127.0.0.2 is not in proxy-from: clients are refused")
    #expect(
      refusals.ended(.never) == [
        "proxy-from: 1 connection refused in 0s", "proxy-header: 2 connections refused in 1s",
        "proxy-timeout: 1 connection refused in 0s",
      ])
  }

  @Test("names a proxy no more than log-address says")
  func hidesTheProxy() {
    for (form, text) in [(LogAddress.none, "a client"), (.prefix, "127.0.0.0/24")] {
      var refusals = Refusals(
        limits: AdmissionLimits(), datagramLimits: AdmissionLimits(), peerText: PeerText(form))
      #expect(
        refusals.closed(.endOfStream, flooder, now: second(0))
          == "a connection of \(text) is closed: the stream ends within the PROXY header")
    }
  }

  @Test("does not end while clients still wait")
  func goesOn() {
    var refusals = refusals()
    #expect(
      refusals.waiting(for: .maxConnections, now: second(0)) == "max-connections (256) reached; further clients wait")
    refusals.goesOn(for: .maxConnections, now: second(4))
    #expect(refusals.ended(second(6)) == [])
    #expect(refusals.waiting(for: .maxConnections, now: second(7)) == nil)
    #expect(refusals.ended(second(13)) == ["max-connections: clients had to wait 2 times in 7s"])
    // What was never said does not go on.
    refusals.goesOn(for: .maxConnections, now: second(14))
    #expect(refusals.due == .never)
  }

  @Test("says once why answers to datagrams cannot be sent, and what to do")
  func saysWhatCannotBeSent() {
    var refusals = refusals()
    #expect(
      refusals.unsendable(.permissionDenied, to: .unixPath("/tmp/c"), now: second(1))
        == "an answer to /tmp/c cannot be sent: Permission denied; "
        + "the client's socket must be writable for the service's user")
    #expect(
      refusals.unsendable(.permissionDenied, to: .unixPath("/tmp/c"), now: second(1).advanced(by: .nanoseconds(1)))
        == nil)
    #expect(refusals.ended(.never) == ["2 answers could not be sent in 1s"])
    #expect(
      refusals.unsendable(ErrorCode(rawValue: 101), to: address, now: second(9))
        == "an answer to 127.0.0.2:4711 cannot be sent: Network is unreachable")
  }

  @Test("says of a program with the listening socket that its clients wait")
  func saysWhoWaits() {
    let failure = SystemCallError("execve", on: "/bin/x", code: .noSuchFileOrDirectory)
    var refusals = refusals()
    let text = "execve /bin/x: No such file or directory; its clients "
    #expect(refusals.failed(failure, now: second(1)) == text + "are turned away")
    _ = refusals.ended(.never)
    #expect(refusals.failed(failure, clientsWait: true, now: second(1)) == text + "wait")
  }
}
