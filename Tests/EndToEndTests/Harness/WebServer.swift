import Glibc

/// Web servers of the tests' own that answer well, badly or not at all.
///
/// Each path is one behaviour; each connection and each request is a line of `log`.
final class WebServer {
  let program: RunningProgram
  /// `127.0.0.1:PORT`, or the socket's path.
  let place: String

  /// What comes is told in lines: `connection`, `GET /path Host:... [Name:value ...]`.
  var log: [String] { program.output.lines.filter { !$0.hasPrefix("at ") } }
  var connections: Int { program.output.lines(containing: "connection").count }

  /// - Parameter place: `127.0.0.1`, `::1`, or a path or @name of a Unix socket.
  /// - Parameter certificate: a file with a certificate and its key, for TLS.
  init(at place: String = "127.0.0.1", certificate: String = "") throws {
    program = try RunningProgram(try Programs.tool("python3"), ["-c", Self.script, place, certificate])
    self.place = String(try program.output.awaitLines(containing: "at ")[0].dropFirst(3))
  }

  var port: String { String(place.split(separator: ":").last ?? "") }

  /// How many bytes `/big` has.
  static let big = 10 << 20

  private static let script = """
    import gzip, hashlib, os, socket, ssl, struct, sys, threading
    place, certificate = sys.argv[1:3]
    kind = socket.AF_UNIX if place[0] in "/@" else socket.AF_INET6 if ":" in place else socket.AF_INET
    listener = socket.socket(kind)
    if kind == socket.AF_UNIX: listener.bind(place.replace("@", "\\0", 1))
    else: listener.bind((place, 0))
    listener.listen(64)
    lock = threading.Lock()
    def say(text):
        with lock: print(text, flush=True)
    port = 0 if kind == socket.AF_UNIX else listener.getsockname()[1]
    say("at " + (place if not port else "[%s]:%d" % (place, port) if ":" in place else "%s:%d" % (place, port)))
    big = bytes(range(256)) * (\(big) // 256)

    def answer(body, status=b"200 OK", headers=b""):
        return b"HTTP/1.1 %s\\r\\nContent-Length: %d\\r\\n%s\\r\\n%s" % (status, len(body), headers, body)
    def chunked(parts, headers=b"", trailers=b"", status=b"200 OK"):
        yield b"HTTP/1.1 " + status + b"\\r\\nTransfer-Encoding: chunked\\r\\n" + headers + b"\\r\\n"
        for part in parts: yield b"%x;name=\\"value\\"\\r\\n%s\\r\\n" % (len(part), part)
        yield b"0\\r\\n" + trailers + b"\\r\\n"
    def pieces(data):
        at, size = 0, 1
        while at < len(data):
            yield data[at:at + size]
            at += size; size = size * 3 % 65537 + 1
    def endless(piece, first=b""):
        if first: yield first
        while True: yield piece
    def late(answer):
        gone.wait(2.5)
        yield answer
    def stops(first):
        yield first
        gone.wait(120)
    def slowly(bytes, first, pause=0.2):
        yield first
        for n in range(600): yield bytes; gone.wait(pause)
    gone = threading.Event()
    head = b"HTTP/1.1 200 OK\\r\\nContent-Length: 1000\\r\\n\\r\\n"
    ansi = b"\\x1b[2J\\x1b]0;owned\\x07"
    # One value is sent whole, or piece by piece; "!" at its end closes the connection, "reset" resets it.
    answers = {
        "/": lambda: answer(b"first page\\n"),
        "/a": lambda: answer(b"this is a\\n"), "/b": lambda: answer(b"this is b\\n"), "/empty": lambda: answer(b""),
        "/utf8": lambda: answer("gr\\u00fc\\u00df dich\\r\\n".encode() + ansi + b"\\tend\\x9b\\n"),
        "/big": lambda: answer(big),
        "/chunked": lambda: chunked(pieces(big), trailers=b"HTTP/1.1 404: No\\r\\nX-Trailer: x\\r\\n"),
        "/close": lambda: (answer(b"closing\\n", headers=b"Connection: close\\r\\n"), "!"),
        "/silently": lambda: (answer(b"silent close\\n"), "!"),
        "/until-end": lambda: (b"HTTP/1.0 200 OK\\r\\n\\r\\nold\\n", "!"),
        "/missing": lambda: answer(b"nothing here\\n", b"404 Not Found"),
        "/missing-big": lambda: endless(big[:65536], b"HTTP/1.1 404 Not Found\\r\\n\\r\\n"),
        "/part": lambda: answer(b"his is", b"206 Partial Content", b"Content-Range: bytes 1-6/10\\r\\n"),
        "/chunked-small": lambda: (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
            b"6\\r\\nsmall\\n\\r\\n0\\r\\n\\r\\n"),
        "/to-user": lambda: answer(b"", b"302 Found", b"Location: http://user@localhost:%d/b\\r\\n" % port),
        "/none": lambda: b"HTTP/1.1 204 No Content\\r\\n\\r\\n",
        "/fail": lambda: answer(b"broken\\n", b"500 Oh"),
        "/moved": lambda: answer(b"moved\\n", b"301 Moved Permanently", b"Location: /a\\r\\n"),
        "/moved-far": lambda: answer(b"", b"302 Found", b"Location: http://localhost:%d/b\\r\\n" % port),
        "/moved-plain": lambda: answer(b"", b"302 Found", b"Location: http://127.0.0.1:1/b\\r\\n"),
        "/loop": lambda: answer(b"", b"302 Found", b"Location: /loop\\r\\n"),
        "/to-file": lambda: answer(b"", b"302 Found", b"Location: file:///etc/passwd\\r\\n"),
        "/to-gopher": lambda: answer(b"", b"302 Found", b"Location: gopher://127.0.0.1:1/1\\r\\n"),
        "/to-escape": lambda: answer(b"", b"302 Found", b"Location: /" + ansi + b"\\r\\n"),
        "/moved-big": lambda: endless(big[:65536], b"HTTP/1.1 302 Found\\r\\nLocation: /a\\r\\n\\r\\n"),
        "/moved-big-kept": lambda: chunked(endless(big[:65536]), b"Location: /a\\r\\n", status=b"302 Found"),
        "/moved-forged": lambda: (b"HTTP/1.1 302 Found\\r\\nLocation: /missing\\r\\nTransfer-Encoding: chunked\\r\\n"
            b"\\r\\n0\\r\\nHTTP/1.1 200: OK\\r\\n\\r\\n"),
        # What breaks off, lies or never ends.
        "/truncated": lambda: (head + b"x" * 100, "!"),
        "/chunk-missing": lambda: (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nhello\\r\\n", "!"),
        "/chunk-garbage": lambda: (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\nhello\\r\\n0\\r\\n\\r\\n", "!"),
        "/chunk-overflow": lambda: (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
            + b"f" * 17 + b"\\r\\nhello\\r\\n", "!"),
        "/chunk-negative": lambda: (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n-5\\r\\nhello\\r\\n", "!"),
        "/length-overflow": lambda: (b"HTTP/1.1 200 OK\\r\\nContent-Length: 99999999999999999999999\\r\\n\\r\\nx", "!"),
        "/length-negative": lambda: (b"HTTP/1.1 200 OK\\r\\nContent-Length: -5\\r\\n\\r\\nx", "!"),
        "/two-lengths": lambda: (b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\nContent-Length: 50\\r\\n\\r\\nhello", "!"),
        "/endless-headers": lambda: endless(b"X-More: " + b"y" * 1000 + b"\\r\\n", b"HTTP/1.1 200 OK\\r\\n"),
        "/endless-header": lambda: endless(b"y" * 1000, b"HTTP/1.1 200 OK\\r\\nX: "),
        "/endless-100": lambda: endless(b"HTTP/1.1 100 Continue\\r\\n\\r\\n"),
        "/endless-103": lambda: endless(b"HTTP/1.1 103 Early Hints\\r\\nLink: <x>\\r\\n\\r\\n"),
        "/one-100": lambda: b"HTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 103 Hints\\r\\nA: b\\r\\n\\r\\n" + answer(b"after\\n"),
        "/long-header": lambda: (answer(b"x", headers=b"X: " + b"y" * (1 << 20) + b"\\r\\n"), "!"),
        "/nul": lambda: (answer(b"x", headers=b"X: a\\0b\\r\\n"), "!"),
        "/escapes": lambda: answer(b"x\\n", b"200 OK" + ansi, b"X: " + ansi + b"\\r\\n"),
        "/escape-missing": lambda: answer(b"x\\n", b"404 No" + ansi),
        "/no-status-line": lambda: (b"<html>hello</html>\\n", "!"),
        "/garbage": lambda: (b"\\xff\\xfe" + b"\\0" * 1000 + b"\\r\\n\\r\\n", "!"),
        "/999": lambda: answer(b"odd\\n", b"999 Odd"), "/99": lambda: (answer(b"odd\\n", b"99 Odd"), "!"),
        "/000": lambda: (answer(b"odd\\n", b"000 Odd"), "!"),
        "/99999": lambda: (answer(b"odd\\n", b"99999 Odd"), "!"),
        "/101": lambda: (b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: h2c\\r\\n\\r\\nwhatever", "!"),
        "/drip": lambda: slowly(b"x", head.replace(b"1000", b"1000000")),
        "/drip-headers": lambda: slowly(b"X: y\\r\\n", b"HTTP/1.1 200 OK\\r\\n"),
        "/drip-line": lambda: slowly(b"y", b"HTTP/1.1 200 OK\\r\\nX: "),
        "/endless": lambda: endless(big[:65536], b"HTTP/1.1 200 OK\\r\\n\\r\\n"),
        "/endless-chunks": lambda: chunked(endless(big[:65536])),
        "/late": lambda: late(answer(b"late\\n")), "/silent": lambda: (gone.wait(120),) and b"",
        "/stops": lambda: stops(head + b"x" * 100),
        "/reset": lambda: "reset", "/reset-later": lambda: (head + b"x" * 10, "reset"), "/gone": lambda: "!",
        "/bomb": lambda: answer(gzip.compress(bytes(50 << 20)), headers=b"Content-Encoding: gzip\\r\\n"),
        "/te-bomb": lambda: chunked([gzip.compress(bytes(50 << 20))],
            headers=b"Transfer-Encoding: gzip\\r\\n"),
        "/splitting": lambda: answer(b"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nforged", b"404 Not Found"),
        "/header-forged": lambda: answer(b"no\\n", b"404 Not Found", b"HTTP/1.1 200 OK\\r\\n"),
        "/more-than-said": lambda: answer(b"a\\n") + answer(b"forged\\n"),
        "/gibibyte": lambda: (part for part in [head.replace(b"1000", b"%d" % (1 << 30))] + [big[:1 << 20]] * 1024),
    }

    def serve(connection):
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            connection = context.wrap_socket(connection, server_side=True)
        stream = connection.makefile("rb")
        while True:
            words = stream.readline().decode("latin-1").split(" ")
            if len(words) < 3: return
            headers = []
            while True:
                line = stream.readline().strip().decode("latin-1")
                if not line: break
                headers.append(line)
            say(" ".join([words[0], words[1]] + [h.replace(": ", ":") for h in sorted(headers)]))
            path = words[1].split("?")[0]
            made = answers[path]() if path in answers else answer(b"?\\n", b"404 Not Found")
            if words[0] == "HEAD": made = made.split(b"\\r\\n\\r\\n")[0] + b"\\r\\n\\r\\n"
            for part in [made] if isinstance(made, (bytes, str)) else made:
                if part == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if part == "!": connection.shutdown(socket.SHUT_WR); return
                connection.sendall(part)
    def converse(connection):
        try:
            with connection: serve(connection)
        except (OSError, ValueError): pass
    while True:
        connection, _ = listener.accept()
        say("connection")
        threading.Thread(target=converse, args=(connection,), daemon=True).start()
    """
}
