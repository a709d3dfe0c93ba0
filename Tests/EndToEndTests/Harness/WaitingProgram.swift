import Glibc
import Testing

/// A program that gets the sockets of the service `waiting` itself.
enum WaitingProgram {
  /// Serves clients on standard input until one says "end"; tells each how many it has served.
  static let server = """
    import os, socket
    listener = socket.socket(fileno=0)
    for count in range(1, 1000):
        client, _ = listener.accept()
        lines = client.makefile("rw")
        line = lines.readline()
        lines.write(f"{os.getpid()} {count} {line}")
        lines.flush()
        lines.close()
        client.close()
        if line == "end\\n": break
    """

  static func configuration(_ script: String, _ lines: String...) throws -> String {
    try SampleConfiguration.python("waiting", script, "wait = true", lines.joined(separator: "\n"))
  }

  /// Says a line to `server`, and expects that it has served so many clients.
  ///
  /// - Parameter process: the program that must answer; nil for any.
  /// - Returns: the one that did.
  static func expectAnswer(
    _ address: String, _ line: String, _ count: Int, from process: pid_t?,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> pid_t {
    let answer = String(decoding: try ask(address, line + "\n"), as: UTF8.self)
    let server = try processNumbers(answer)[0]
    #expect(answer == "\(process ?? server) \(count) \(line)\n", sourceLocation: sourceLocation)
    return server
  }
}
