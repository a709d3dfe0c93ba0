import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// Which socket each address gets.
@Suite(.timeLimit(.minutes(30))) struct SocketAssignmentTests {
  private func assign(_ text: String, openBy old: String) throws -> SocketAssignment {
    SocketAssignment(
      try Loaded.configuration(text).services.map(\.configuration), open: Loaded.open(try Loaded.configuration(old)))
  }

  @Test func aPortThatTheKernelChoseIsKeptByItsService() throws {
    let both =
      Loaded.service("a", "listen-stream = [\"127.0.0.1:0\"]")
      + Loaded.service("b", "listen-stream = [\"127.0.0.1:0\"]")
    let assignment = try assign(both, openBy: both)
    #expect(assignment.sources == [[.open(0)], [.open(1)]])
    let swapped = try assign(Loaded.service("b", "listen-stream = [\"127.0.0.1:0\"]"), openBy: both)
    #expect(swapped.sources == [[.open(1)]])
    #expect(swapped.rest == [0])
  }

  @Test func thatPortMayBeNamed() throws {
    let chosen = Loaded.service("a", "listen-stream = [\"127.0.0.1:0\"]")
    let named = try assign(Loaded.service("a", "listen-stream = [\"127.0.0.1:40001\"]"), openBy: chosen)
    #expect(named.sources == [[.open(0)]])
  }

  @Test func oneOpenSocketServesOneAddress() throws {
    let one = Loaded.service("a", "listen-stream = [\"127.0.0.1:0\"]")
    let two = try assign(Loaded.service("a", "listen-stream = [\"127.0.0.1:0\", \"127.0.0.1:0\"]"), openBy: one)
    #expect(two.sources[0][0] == .open(0))
    #expect(two.sources[0][1] == .new(try #require(SocketAddress("127.0.0.1:0")), isDatagram: false, isOptional: false))
  }

  @Test func aWildcardIsAnotherAddress() throws {
    let moved = try assign(
      Loaded.service("a", "listen-stream = [\"0.0.0.0:1001\"]"),
      openBy: Loaded.service("a", "listen-stream = [\"127.0.0.1:1001\"]"))
    #expect(moved.rest == [0])
    #expect(
      moved.sources == [[.new(try #require(SocketAddress("0.0.0.0:1001")), isDatagram: false, isOptional: false)]])
  }

  @Test func datagramsHaveSocketsOfTheirOwn() throws {
    let moved = try assign(
      Loaded.service("a", "listen-datagram = [\"127.0.0.1:1001\"]"),
      openBy: Loaded.service("a", "listen-stream = [\"127.0.0.1:1001\"]"))
    #expect(moved.rest == [0])
  }

  @Test func ofTwoSocketsAtOneAddressEachServiceGetsItsOwn() throws {
    func service(_ name: String, _ device: String) -> String {
      Loaded.service(name, "listen-stream = [\"0.0.0.0:1001\"]", "bind-to-device = \"\(device)\"")
    }
    let (a, b) = (service("a", "one"), service("b", "two"))
    #expect(try assign(a + b, openBy: a + b).sources == [[.open(0)], [.open(1)]])
    #expect(try assign(b + a, openBy: a + b).sources == [[.open(1)], [.open(0)]])
    // By the interface, whatever the services are called.
    #expect(try assign(service("c", "one") + b, openBy: b + a).sources == [[.open(1)], [.open(0)]])
    #expect(try assign(service("a", "two") + service("b", "one"), openBy: a + b).sources == [[.open(1)], [.open(0)]])
    // An interface that no socket has.
    #expect(try assign(service("b", "three"), openBy: a + b).sources == [[.open(1)]])
  }

  @Test func passedSocketsAreFoundByNameAndByAddress() throws {
    let old = Loaded.service("a", "listen-stream = [\"fd:web\"]")
    #expect(try assign(old, openBy: old).sources == [[.open(0)]])
    let other = try assign(Loaded.service("a", "listen-stream = [\"fd:mail\"]"), openBy: old)
    #expect(other.sources == [[.missing("mail", isDatagram: false)]])
    #expect(other.isInactive(0))
    #expect(other.rest == [0])
  }
}
