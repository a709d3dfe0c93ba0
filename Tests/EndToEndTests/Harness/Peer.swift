/// A server of one connection, in Python, for whoever connects.
final class Peer {
  let program: RunningProgram
  let port: String

  /// - Parameter script: has `c`, the connection, `all_of(c)` and `sys.argv[1:]`; what it prints is the program's output.
  init(_ script: String, _ words: String...) throws {
    let frame = """
      import hashlib, os, socket, struct, sys, threading
      def all_of(c):
          parts = []
          while part := c.recv(1 << 20): parts.append(part)
          return b"".join(parts)
      l = socket.create_server(("127.0.0.1", 0))
      print("port", l.getsockname()[1], flush=True)
      c, _ = l.accept()
      c.settimeout(60)

      """
    program = try RunningProgram(try Programs.tool("python3"), ["-c", frame + script] + words)
    port = String(try program.output.awaitLines(containing: "port ")[0].dropFirst(5))
  }

  /// What it printed, after its end.
  func lines() throws -> [String] {
    let status = try program.awaitEnd(within: .seconds(60))
    guard status == .exited(code: 0) else { throw HarnessFailure("the peer: \(status); \(program.errors.text)") }
    return Array(program.output.lines.dropFirst())
  }
}
