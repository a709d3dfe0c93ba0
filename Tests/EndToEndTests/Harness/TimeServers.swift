/// Servers of the tests' own that answer a time client well, badly or not at all.
final class TimeServers {
  private let program: RunningProgram
  /// The one port of all of them, over TCP and UDP.
  let port: String

  /// Serves at 127.x.y.1, 127.x.y.2 and so on; `network` is `x.y`.
  ///
  /// - Parameter answers: of each host, as Python's bytes; `None` takes the question and never answers.
  init(_ answers: String, network: String, closing: Bool = true) throws {
    let script = """
      import selectors, socket, struct, sys, time
      now = lambda: struct.pack("!I", (int(time.time()) + 2208988800) % 2**32)
      answers = \(answers)
      selector, kept, port = selectors.DefaultSelector(), [], 0
      def bind(kind, host):
          s = socket.socket(socket.AF_INET, kind)
          s.bind(("127.%s.%d" % (sys.argv[1], host), port))
          if kind == socket.SOCK_STREAM: s.listen(64)
          selector.register(s, selectors.EVENT_READ, answers[host - 1])
          return s
      while not kept:
          try:
              port = 0
              for host in range(1, len(answers) + 1):
                  for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                      kept.append(bind(kind, host))
                      port = kept[0].getsockname()[1]
          except OSError:
              for s in kept: selector.unregister(s); s.close()
              kept = []
      print('port', port, flush=True)
      while True:
          for key, _ in selector.select():
              s, answer = key.fileobj, key.data
              if s.type == socket.SOCK_STREAM:
                  connection, _ = s.accept()
                  if answer is None: kept.append(connection); continue
                  try: connection.sendall(answer() if callable(answer) else answer)
                  except OSError: pass
                  if sys.argv[2] == "True": connection.close()
                  else: kept.append(connection)
              else:
                  question, peer = s.recvfrom(100)
                  # RFC 868: an empty datagram.
                  if answer is not None and question == b"": s.sendto(answer() if callable(answer) else answer, peer)
      """
    program = try RunningProgram(
      try Programs.tool("python3"), ["-c", script, network, closing ? "True" : "False"])
    port = String(try program.output.awaitLines(containing: "port ")[0].dropFirst(5))
  }
}
