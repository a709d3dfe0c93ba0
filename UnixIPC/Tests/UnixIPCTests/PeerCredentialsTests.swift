import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct PeerCredentialsTests {
  @Test("name the process at the other end, and hold it")
  func nameAndHold() throws {
    let directory = try TemporaryDirectory()
    let listener = try ListeningSocket(.unixPath(directory["s"]), backlog: 1)
    let perl = try Counterpart(
      "perl",
      ["-MIO::Socket::UNIX", "-e", "my $s = IO::Socket::UNIX->new(Peer => shift) or die; <STDIN>", directory["s"]])
    try #require(listener.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))) == true)
    var peer = RawSocketAddress()
    let connection = try listener.accept(peer: &peer)
    let credentials = try PeerCredentials(of: connection)
    #expect(credentials.process == perl.process && credentials.user == geteuid() && credentials.group == getegid())
    let handle = try ProcessHandle(peerOf: connection)
    let isRunning = !handle.hasEnded
    #expect(handle.process == perl.process && isRunning && handle.descriptor.isCloseOnExec)
    try handle.send(.terminate)
    let ended = handle.waitForExit(until: Deadline(after: .seconds(20)))
    #expect(ended)
  }

  @Test("are refused where there is no such peer")
  func areRefused() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
    let client = try ClientSocket.connect(to: #require(try listener.descriptor.localAddress().address))
    let found = failure { () throws(SystemCallError) in try ProcessHandle(peerOf: client) }
    #expect(found == client.failure("getsockopt SO_PEERPIDFD", .noData))
  }
}
