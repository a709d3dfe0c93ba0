import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite(.timeLimit(.minutes(1))) struct CommandOutputTests {
  /// Output that is always ready, for a client that reads nothing.
  @Test("ends at the command's deadline, whatever the client does", arguments: [nil, .seconds(60)] as [Duration?])
  func endsAtTheDeadline(idle: Duration?) throws {
    let pair = try SocketPair(kind: .stream)
    let stop = try PipeEnds()
    let endless = try Descriptor.open("/dev/zero", .readOnly)
    let side = ServiceSide()
    var connection = Connection(socket: pair.second, peer: Peer(address: nil), tally: side.tally)
    var output = CommandOutput(longest: 1 << 30, idle: idle)
    let start = SystemClock.monotonic()
    let end = output.carry(endless, to: &connection, until: start + 200_000_000, stop: stop.readEnd.number)
    #expect(end == .late)
    #expect(SystemClock.monotonic() - start < 5_000_000_000)
    // A deadline that has passed counts more than output that is ready.
    #expect(output.carry(endless, to: &connection, until: start, stop: stop.readEnd.number) == .late)
    _ = (pair.first.number, stop.writeEnd.number)
  }

  @Test("ends earlier for a client that is idle too long")
  func endsForAnIdleClient() throws {
    let pair = try SocketPair(kind: .stream)
    let stop = try PipeEnds()
    let endless = try Descriptor.open("/dev/zero", .readOnly)
    let side = ServiceSide()
    var connection = Connection(socket: pair.second, peer: Peer(address: nil), tally: side.tally)
    var output = CommandOutput(longest: 1 << 30, idle: .milliseconds(100))
    let deadline = SystemClock.monotonic() + 30_000_000_000
    #expect(output.carry(endless, to: &connection, until: deadline, stop: stop.readEnd.number) == .clientIdle)
    _ = (pair.first.number, stop.writeEnd.number)
  }
}
