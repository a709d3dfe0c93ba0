import CSharedLayouts
import Glibc
import NetworkServices
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite(.timeLimit(.minutes(30))) final class CommandOutputTests {
  private let slot = UnsafeMutablePointer<begat_slot>.allocate(capacity: 1)
  private var tally: Tally { Tally(slot) }

  init() { slot.initialize(to: begat_slot()) }
  deinit { slot.deallocate() }

  /// Output that is always ready, for a client that reads nothing.
  @Test("ends at the command's deadline, whatever the client does", arguments: [nil, .seconds(60)] as [Duration?])
  func endsAtTheDeadline(idle: Duration?) throws {
    let pair = try SocketPair(kind: .stream)
    let stop = try PipeEnds()
    let endless = try Descriptor.open("/dev/zero", .readOnly)
    var connection = Connection(socket: pair.second, peer: Peer(address: nil), tally: tally)
    var output = CommandOutput(longest: 1 << 30, idle: idle)
    let start = Deadline.now
    let end = output.carry(
      endless, to: &connection, until: start.advanced(by: .milliseconds(200)), stop: stop.readEnd.number)
    #expect(end == .late)
    #expect(start.duration(to: .now) < .seconds(5))
    // A deadline that has passed counts more than output that is ready.
    #expect(output.carry(endless, to: &connection, until: start, stop: stop.readEnd.number) == .late)
    _ = (pair.first.number, stop.writeEnd.number)
  }

  @Test("ends earlier for a client that is idle too long")
  func endsForAnIdleClient() throws {
    let pair = try SocketPair(kind: .stream)
    let stop = try PipeEnds()
    let endless = try Descriptor.open("/dev/zero", .readOnly)
    var connection = Connection(socket: pair.second, peer: Peer(address: nil), tally: tally)
    var output = CommandOutput(longest: 1 << 30, idle: .milliseconds(100))
    let deadline = Deadline(after: .seconds(30))
    #expect(output.carry(endless, to: &connection, until: deadline, stop: stop.readEnd.number) == .clientIdle)
    _ = (pair.first.number, stop.writeEnd.number)
  }
}
