import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct HalfCloseTests {
  @Test("ends a question, and the answer still comes", arguments: ["python3", "socat"])
  func endsAQuestion(server: String) throws {
    let directory = try TemporaryDirectory()
    let path = directory["s"]
    // sort(1) answers when it has read all, and not before.
    let counterpart =
      try server == "socat"
      ? Counterpart("socat", ["-d", "-d", "-t", "20", "UNIX-LISTEN:\(path)", "SYSTEM:sort"])
      : Counterpart(
        "python3",
        [
          "-c",
          """
          import socket, sys
          s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1); print('listening on', flush=True)
          c = s.accept()[0]
          text = b''
          while part := c.recv(100): text += part
          c.sendall(b''.join(sorted(text.splitlines(True))))
          """, path,
        ])
    _ = try counterpart.line(containing: "listening on")
    let socket = try ClientSocket.connect(to: .unixPath(path), until: Deadline(after: .seconds(20)))
    try socket.writeAll("b\na\n")
    try socket.shutDownSending()
    #expect(String(decoding: try socket.readToEnd(), as: UTF8.self) == "a\nb\n")
    #expect(
      [1].withUnsafeBytes { bytes in failure { () throws(SystemCallError) in try socket.send(bytes) } }?.code
        == .brokenPipe)
  }

  @Test("wants nothing more: a Unix peer gets EPIPE")
  func wantsNothingMore() throws {
    let pair = try SocketPair(kind: .stream)
    let own = pair.first
    let its = pair.second
    try its.writeAll("early")
    try own.shutDownReceiving()
    #expect(String(decoding: try own.readToEnd(), as: UTF8.self) == "early")
    #expect(
      [1].withUnsafeBytes { bytes in failure { () throws(SystemCallError) in try its.send(bytes) } }?.code
        == .brokenPipe)
    try own.writeAll("back")
    try own.shutDownSending()
    #expect(String(decoding: try its.readToEnd(), as: UTF8.self) == "back")
  }

  @Test("is an error where there is no peer")
  func hasNoPeer() throws {
    let socket = try Descriptor.socket(family: .ipv4, kind: .stream)
    let notConnected = ErrorCode.socketNotConnected
    #expect(failure { () throws(SystemCallError) in try socket.shutDownSending() }?.code == notConnected)
    #expect(failure { () throws(SystemCallError) in try socket.shutDownReceiving() }?.code == notConnected)
  }
}
