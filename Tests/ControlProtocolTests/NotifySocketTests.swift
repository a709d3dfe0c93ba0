import Glibc
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

/// News to a service manager.
@Suite struct NotifySocketTests {
  private func socket(at path: String) throws -> NotifySocket {
    switch NotifySocket(path) {
    case .some(let socket): return socket
    case nil: throw SystemCallError("socket", on: path, code: .invalidArgument)
    }
  }

  @Test func messagesComeWithDescriptors() throws {
    let directory = try TemporaryDirectory()
    let path = directory["notify"]
    let manager = try UnixSocketFile.bind(at: path, kind: .datagram, access: UnixSocketFile.Access())
    var socket = try socket(at: path)
    let pipe = try PipeEnds()
    try socket.send("FDSTORE=1\nFDNAME=pipe", passing: [pipe.readEnd.number])
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    defer { room.deallocate() }
    let message = try manager.socket.receive(into: room, maxPassed: 2, waiting: false)
    #expect(String(decoding: room[..<message.count], as: UTF8.self) == "FDSTORE=1\nFDNAME=pipe")
    #expect(message.descriptors.count == 1)
  }

  @Test func aFullQueueIsAnErrorAndRoomIsWaitedFor() throws {
    let directory = try TemporaryDirectory()
    let path = directory["notify"]
    let manager = try UnixSocketFile.bind(at: path, kind: .datagram, access: UnixSocketFile.Access())
    var socket = try socket(at: path)
    var failure: ErrorCode?
    for _ in 0..<100_000 where failure == nil {
      do throws(SystemCallError) { try socket.send("STATUS=full") } catch { failure = error.code }
    }
    #expect(failure == .wouldBlock)
    let hasRoom = socket.awaitRoom(until: .now)
    #expect(!hasRoom)
    var room = [UInt8](repeating: 0, count: 256)
    while (try? room.withUnsafeMutableBytes({ try manager.socket.receive(into: $0, waiting: false) })) != nil {}
    let hasRoomAgain = socket.awaitRoom(until: Deadline(after: .seconds(5)))
    #expect(hasRoomAgain)
    try socket.send("STATUS=again")
  }

  @Test func aManagerThatWasStartedAnewIsToldAgain() throws {
    let directory = try TemporaryDirectory()
    let path = directory["notify"]
    var socket = try socket(at: path)
    do {
      try socket.send("READY=1")
      Issue.record("sent to no socket")
    } catch { #expect(error.code == .noSuchFileOrDirectory) }
    for _ in 0..<2 {
      let manager = try UnixSocketFile.bind(at: path, kind: .datagram, access: UnixSocketFile.Access())
      try socket.send("READY=1")
      var room = [UInt8](repeating: 0, count: 256)
      #expect(try room.withUnsafeMutableBytes { try manager.socket.receive(into: $0, waiting: false) } == 7)
    }
  }

  @Test(arguments: ["", "vsock:2:1234", "notify"]) func otherPlacesAreNone(name: String) {
    switch NotifySocket(name) {
    case nil: break
    case .some: Issue.record("\(name) is taken for a socket")
    }
  }
}
