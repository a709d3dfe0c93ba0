import Configuration
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

@Suite(.timeLimit(.minutes(30))) struct NameResolverTests {
  @Test("is read a limited number of times, however much it sends")
  func readsALimitedNumber() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    let sent = NameResolver.mostMessages + 20
    for _ in 0..<sent { try [UInt8(255)].withUnsafeBytes { bytes in _ = try pair.second.send(bytes) } }
    var inquiry = Inquiry()
    let first = NameResolver.readAnswers(from: pair.first, to: &inquiry)
    #expect(!first.isAny && !first.isAtEnd)
    var left = 0
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { room in
      while (try? pair.first.receive(into: room, waiting: false)) != nil { left += 1 }
    }
    #expect(left == 20)
  }

  @Test("keeps its user where a reload has none for it")
  func keepsItsUser() throws {
    let (one, other) = (
      ResolverUser.identity(Identity(user: 7, group: 7)), ResolverUser.identity(.init(user: 8, group: 8))
    )
    let resolver = try NameResolver(as: one, program: .own(), standardError: 2, limits: [])
    #expect(!resolver.use(.none) && resolver.user == one)
    #expect(resolver.use(other) && resolver.user == other)
  }

  @Test("tells the end of its channel from silence")
  func findsTheEnd() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    let reading = pair.first
    var inquiry = Inquiry()
    #expect(!NameResolver.readAnswers(from: reading, to: &inquiry).isAtEnd)
    _ = consume pair.second
    #expect(NameResolver.readAnswers(from: reading, to: &inquiry).isAtEnd)
  }
}
