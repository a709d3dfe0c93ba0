import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite(.timeLimit(.minutes(30))) struct HeldConnectionsTests {
  @Test("stay open until the other side ends them, whatever it sent")
  func stayOpen() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 64)
    let address = try #require(try listener.descriptor.localAddress().address)
    var sources = SourceAddresses(count: 0)
    var clients = ClaimedClients(nil, count: 1, to: address)
    let held = HeldConnections(3, to: address, from: &sources, as: &clients, within: .seconds(20))
    #expect(held.failure == nil)
    #expect(held.countOpen() == 3)
    var peer = RawSocketAddress()
    let first = try listener.accept(peer: &peer)
    try first.writeAll("greeting")
    do { _ = try listener.accept(peer: &peer) }
    // The end is under way at most for a moment: the kernel delivers it itself.
    let deadline = SystemClock.monotonic() + 20_000_000_000
    while held.countOpen() != 2, SystemClock.monotonic() < deadline { sched_yield() }
    #expect(held.countOpen() == 2)
    #expect(first.number >= 0)
  }

  @Test("stop at the first that fails and say why")
  func stopAtTheFirst() {
    var sources = SourceAddresses(count: 0)
    var clients = ClaimedClients(nil, count: 1, to: .unixUnnamed)
    let held = HeldConnections(
      3, to: .unixPath("/nonexistent/socket"), from: &sources, as: &clients, within: .seconds(1))
    #expect(held.countOpen() == 0)
    #expect(held.failure == SystemCallError("connect", on: "/nonexistent/socket", code: .noSuchFileOrDirectory))
  }
}
