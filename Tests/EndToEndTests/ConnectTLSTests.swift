import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat connect --tls`, against a server of Python's.
@Suite(.timeLimit(.minutes(30)))
struct ConnectTLSTests {
  /// A key and a certificate of 127.0.0.1 in a directory.
  private func makeCertificate(in directory: TemporaryDirectory) throws -> String {
    _ = try RunningProgram.tool(
      "openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=begat.test", "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:begat.test", "-keyout", directory.path("key"), "-out",
        directory.path("certificate"),
      ])
    return directory.path("certificate")
  }

  private func peer(_ script: String, in directory: TemporaryDirectory) throws -> Peer {
    let frame = """
      import ssl
      t = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); t.load_cert_chain(sys.argv[1], sys.argv[2])
      try: c = t.wrap_socket(c, server_side=True)
      except (ssl.SSLError, ConnectionError): print("no handshake"); sys.exit()

      """
    return try Peer(frame + script, directory.path("certificate"), directory.path("key"))
  }

  @Test func bytesComeThroughBothWays() throws {
    let directory = try TemporaryDirectory()
    let certificate = try makeCertificate(in: directory)
    let peer = try peer(
      """
      def send(numbers):
          for i in numbers: c.sendall(bytes([i]) * 65536)
      send(range(32))
      got = b""
      while part := c.recv(1 << 16): got += part
      send(range(32, 64))
      print(len(got), hashlib.sha256(got).hexdigest()); c.unwrap()
      """, in: directory)
    let script = """
      head -c 3000000 /dev/urandom > in; sha256sum < in | cut -d' ' -f1
      "$0" connect --tls --ca-file \(certificate) 127.0.0.1 \(peer.port) < in > out; echo $?
      python3 -c 'print(open("out", "rb").read() == b"".join(bytes([i]) * 65536 for i in range(64)))'
      """
    let shown = try RunningProgram.run(
      try Programs.tool("bash"), ["-c", "cd '\(directory.path)'; \(script)", try Programs.begat()],
      within: .seconds(60))
    try #require(shown.output.lines.count == 3, "\(shown.errors.text)")
    #expect(shown.output.lines[1...] == ["0", "True"], "\(shown.errors.text)")
    #expect(try peer.lines() == ["3000000 \(shown.output.lines[0])"])
  }

  @Test(
    "takes only a certificate that it knows, of the host that was asked for",
    arguments: [
      ("", "self-signed certificate"), ("--ca-file CERTIFICATE --server-name other.test", "hostname mismatch"),
      ("--ca-file /nowhere", "/nowhere: no certificates of authorities can be read there"),
      ("--ca-file CERTIFICATE", nil), ("--ca-file CERTIFICATE --server-name begat.test", nil), ("--insecure", nil),
      ("-k --server-name other.test", nil),
    ])
  func certificatesCount(options: String, refusal: String?) throws {
    let directory = try TemporaryDirectory()
    let certificate = try makeCertificate(in: directory)
    let peer = try peer("c.sendall(b'secret'); c.unwrap()", in: directory)
    let words = options.replacing("CERTIFICATE", with: certificate).split(separator: " ").map(String.init)
    let got = try RunningProgram.run(
      try Programs.begat(), ["connect", "--tls", "--receive-only"] + words + ["127.0.0.1", peer.port])
    #expect(got.status == .exited(code: refusal == nil ? 0 : 1), "\(got.errors.text)")
    #expect(got.output.text == (refusal == nil ? "secret" : ""))
    if let refusal {
      #expect(got.errors.lines.count == 1 && got.errors.text.hasPrefix("begat connect: 127.0.0.1:\(peer.port): "))
      #expect(got.errors.text.contains(refusal), "\(got.errors.text)")
    }
  }

  @Test func anEndWithoutTLSsOwnIsAFailure() throws {
    let directory = try TemporaryDirectory()
    let certificate = try makeCertificate(in: directory)
    let peer = try peer(
      "c.sendall(b'half'); os.close(os.dup(c.fileno())); socket.socket(fileno=c.detach()).shutdown(socket.SHUT_WR)",
      in: directory)
    let got = try runBegat("connect", "--tls", "--receive-only", "--ca-file", certificate, "127.0.0.1", peer.port)
    #expect(got.status == .exited(code: 1) && got.output.text == "half")
    #expect(got.errors.text.hasSuffix(": the connection has ended without the end of TLS: what came may be cut off\n"))
  }

  @Test func aServerWithoutTLSIsAFailure() throws {
    let peer = try Peer("c.recv(1000); c.sendall(b'220 hello\\r\\n'); c.recv(1000)")
    let got = try runBegat("connect", "--tls", "127.0.0.1", peer.port)
    #expect(got.status == .exited(code: 1) && got.output.text == "")
    #expect(got.errors.text.contains(": TLS: "), "\(got.errors.text)")
    #expect(try runBegat("connect", "--insecure", "127.0.0.1", "1").status == .exited(code: 64))
    #expect(try runBegat("connect", "--tls", "--udp", "127.0.0.1", "1").status == .exited(code: 64))
  }
}
