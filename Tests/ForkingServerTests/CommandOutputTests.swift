import CSharedLayouts
import Glibc
import NetworkServices
import Testing
import UnixIPC

@testable import ForkingServer

@Suite(.timeLimit(.minutes(1))) final class CommandOutputTests {
  private let slot = UnsafeMutablePointer<begat_slot>.allocate(capacity: 1)
  private var tally: Tally { Tally(slot) }

  init() { slot.initialize(to: begat_slot()) }
  deinit { slot.deallocate() }

  /// Output that is always ready, for a client that reads nothing.
  @Test("ends at the command's deadline, whatever the client does", arguments: [nil, .seconds(60)] as [Duration?])
  func endsAtTheDeadline(idle: Duration?) throws {
    let pair = try Descriptor.socketPair(kind: streamKind)
    let stop = try Pipe.open()
    let endless = try Descriptor.open("/dev/zero", O_RDONLY)
    var connection = Connection(socket: pair.writing, peer: Peer(address: nil), tally: tally)
    var output = CommandOutput(longest: 1 << 30, idle: idle)
    let start = Deadline.now
    let end = output.carry(
      endless, to: &connection, until: start.advanced(by: .milliseconds(200)), stop: stop.reading.number)
    #expect(end == .late)
    #expect(start.duration(to: .now) < .seconds(5))
    // A deadline that has passed counts more than output that is ready.
    #expect(output.carry(endless, to: &connection, until: start, stop: stop.reading.number) == .late)
    _ = (pair.reading.number, stop.writing.number)
  }

  @Test("ends earlier for a client that is idle too long")
  func endsForAnIdleClient() throws {
    let pair = try Descriptor.socketPair(kind: streamKind)
    let stop = try Pipe.open()
    let endless = try Descriptor.open("/dev/zero", O_RDONLY)
    var connection = Connection(socket: pair.writing, peer: Peer(address: nil), tally: tally)
    var output = CommandOutput(longest: 1 << 30, idle: .milliseconds(100))
    let deadline = Deadline(after: .seconds(30))
    #expect(output.carry(endless, to: &connection, until: deadline, stop: stop.reading.number) == .clientIdle)
    _ = (pair.reading.number, stop.writing.number)
  }
}
