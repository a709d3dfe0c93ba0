@_spi(Begat) import UnixCore

/// Clients that come again and again, each as soon as it was served, in a process of their own.
///
/// Each sends a line of its own and expects it back, whole, and then the end.
final class EchoClients {
  /// What became of all of them.
  struct Report {
    var served = 0
    /// Not connected: the address is not served any more.
    var refused = 0
    /// Connected, and then not served: what must not be.
    var lost: [String] = []
    /// When the first client was refused, and when the last one began to come that was served; CLOCK_MONOTONIC nanoseconds.
    var firstRefusal = Int64.max
    var lastArrival: Int64 = 0
  }

  private let program: RunningProgram

  /// - Parameter address: as `Client` takes it.
  /// - Parameter staying: whether a client that is refused comes again; otherwise it is the last one of its row.
  init(_ count: Int, at address: String, isDatagram: Bool = false, staying: Bool = true) throws {
    let script = """
      import errno, os, socket, sys, threading, time
      target, count, datagram, staying = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "true", sys.argv[4] == "true"
      if target[0] == "/": family, address = socket.AF_UNIX, target
      elif target[0] == "@": family, address = socket.AF_UNIX, "\\0" + target[1:]
      else:
          host, port = target.rsplit(":", 1)
          host = host.strip("[]")
          family = socket.AF_INET6 if ":" in host else socket.AF_INET
          address = (host, int(port))
      over = threading.Event()
      served, refused, lost = [0] * count, [0] * count, []
      last, first = [0] * count, []
      def visit(row, number):
          line = f"client {row} {number}\\n".encode()
          with socket.socket(family, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM) as client:
              client.settimeout(20)
              if datagram and family == socket.AF_UNIX: client.bind("")
              try: client.connect(address)
              except OSError as error:
                  if error.errno in (errno.ECONNREFUSED, errno.ENOENT): return False
                  raise
              if datagram:
                  try: client.send(line)
                  except OSError as error:
                      if error.errno in (errno.ECONNREFUSED, errno.ENOENT, errno.EPIPE): return False
                      raise
                  answer = client.recv(1000)
              else:
                  client.sendall(line)
                  client.shutdown(socket.SHUT_WR)
                  answer = b""
                  while part := client.recv(1000): answer += part
              if answer != line: raise ValueError(f"{answer!r} instead of {line!r}")
              return True
      def come(row):
          number = 0
          while not over.is_set():
              number += 1
              began = time.monotonic_ns()
              try:
                  if visit(row, number):
                      served[row] += 1
                      last[row] = began
                  else:
                      refused[row] += 1
                      first.append(time.monotonic_ns())
                      if not staying: return
              except Exception as error: lost.append(f"client {row} {number}: {error!r}")
      rows = [threading.Thread(target=come, args=(row,)) for row in range(count)]
      for row in rows: row.start()
      while sum(served) < count and any(row.is_alive() for row in rows): over.wait(0.001)
      print("begun", flush=True)
      sys.stdin.read()
      if staying: over.set()
      for row in rows: row.join()
      print("served", sum(served), flush=True)
      print("refused", sum(refused), flush=True)
      if first: print("first-refusal", min(first), flush=True)
      print("last-arrival", max(last), flush=True)
      for line in lost[:20]: print("lost", line, flush=True)
      """
    program = try RunningProgram(
      try Programs.tool("python3"), ["-c", script, address, "\(count)", "\(isDatagram)", "\(staying)"], input: .pipe)
    try program.output.awaitLines(containing: "begun", within: .seconds(30))
  }

  /// Lets no new client come, unless each row ends when it is refused; waits for those that are there, and reports.
  func stop() throws -> Report {
    program.endInput()
    guard try program.awaitEnd(within: .seconds(60)) == .exited(code: 0) else {
      throw HarnessFailure("the clients failed: \(program.errors.text)")
    }
    var report = Report()
    for line in program.output.lines {
      let words = line.split(separator: " ", maxSplits: 1)
      switch words[0] {
      case "served": report.served = Int(words[1]) ?? 0
      case "refused": report.refused = Int(words[1]) ?? 0
      case "first-refusal": report.firstRefusal = Int64(words[1]) ?? .max
      case "last-arrival": report.lastArrival = Int64(words[1]) ?? 0
      case "lost": report.lost.append(String(words[1]))
      default: break
      }
    }
    return report
  }
}
