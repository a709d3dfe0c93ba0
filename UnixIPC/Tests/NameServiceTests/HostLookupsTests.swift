import Glibc
import NameService
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct HostLookupsTests {
  @Test("find all within one deadline, in the order of the targets")
  func findWithinADeadline() throws {
    let targets: [ConnectionTarget] = [
      .host("::1", port: 2), .host("begat-none.invalid", port: 3), .unix(.unixPath("/s")), .host("127.0.0.1", port: 1),
    ]
    let found = try HostLookups.addresses(of: targets, until: Deadline(after: .seconds(20)))
    #expect(found.count == 4)
    #expect(try found[0].get() == [.ipv6(.loopback, port: 2)] && found[2].get() == [.unixPath("/s")])
    #expect(try found[3].get() == [.ipv4(.loopback, port: 1)])
    #expect(throws: Hosts.LookupError.self) { try found[1].get() }
    let late = try HostLookups.addresses(of: [targets[1]], until: .immediate)
    guard case .failure(let error) = late[0] else { return }
    #expect("\(error)" == "begat-none.invalid: no answer in time")
  }

  @Test("find each target's addresses once, names and numbers and paths")
  func findEach() throws {
    let targets: [ConnectionTarget] =
      [
        .host("127.0.0.1", port: 1), .host("::1", port: 2), .unix(.unixPath("/s")),
        .host("begat-none.invalid", port: 3),
      ] + (4..<604).map { .host("localhost", port: $0) }
    let lookups = try HostLookups(of: targets)
    var found: [Int: Result<[SocketAddress], Hosts.LookupError>] = [:]
    while found.count < targets.count {
      let isRung = lookups.descriptor.wait(for: .readable, until: Deadline(after: .seconds(20)))
      guard isRung else { break }
      for one in lookups.take() { #expect(found.updateValue(one.addresses, forKey: one.index) == nil) }
    }
    #expect(found.count == targets.count && lookups.take().isEmpty)
    #expect(try found[0]?.get() == [.ipv4(.loopback, port: 1)] && found[1]?.get() == [.ipv6(.loopback, port: 2)])
    #expect(try found[2]?.get() == [.unixPath("/s")])
    #expect(throws: Hosts.LookupError.self) { try found[3]?.get() }
    for index in 4..<targets.count {
      #expect(try found[index]?.get() == Hosts.addresses(of: "localhost", port: UInt16(index)))
    }
  }
}
