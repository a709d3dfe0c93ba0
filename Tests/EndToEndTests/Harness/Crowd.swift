import Testing
@_spi(Begat) import UnixCore

/// Many clients of the command service, and what became of each.
struct Crowd {
  /// Those that were served, at their first prompt.
  private(set) var served: [Client] = []
  /// What the others were told before the end.
  private(set) var refused: [String] = []

  /// All are connected before the first is asked.
  ///
  /// - Parameter source: the address to connect from, by number.
  init(_ count: Int, at address: String, from source: (Int) -> String?) throws {
    for client in try (0..<count).map({ try Client(address, from: source($0)) }) {
      let (text, isAtEnd) = try client.receiveUntilEnd(or: Expected.prompt)
      if isAtEnd {
        refused.append(text)
      } else {
        guard text == Expected.banner + Expected.prompt else { throw HarnessFailure("unexpected: \(text)") }
        served.append(client)
      }
    }
  }

  init(_ count: Int, at address: String, from source: String? = nil) throws {
    try self.init(count, at: address) { _ in source }
  }

  func hangUp() { for client in served { client.hangUp() } }
}

/// The same as another user of the machine: a program of its own.
///
/// It tells how many were served, and keeps them until it is told to go.
final class CrowdOfUser {
  private let program: RunningProgram
  let served: Int

  init(_ count: Int, at address: String, user: UInt32) throws {
    let script = """
      import socket, sys
      address, count = sys.argv[1], int(sys.argv[2])
      clients = [socket.socket(socket.AF_UNIX) for _ in range(count)]
      for client in clients:
          client.settimeout(20)
          client.connect(address if address[0] == "/" else "\\0" + address[1:])
      served = 0
      for client in clients:
          text = b""
          while not text.endswith(b"Command? "):
              more = client.recv(4096)
              if not more: break
              text += more
          else: served += 1
      print("served", served, flush=True)
      sys.stdin.read()
      """
    program = try RunningProgram(
      try Programs.tool("setpriv"),
      ["--reuid=\(user)", "--regid=\(user)", "--clear-groups", "python3", "-c", script, address, "\(count)"],
      input: .pipe)
    let line = try program.output.awaitLines(containing: "served ", within: .seconds(30))[0]
    served = Int(line.dropFirst("served ".count)) ?? -1
  }

  func hangUp() throws {
    program.endInput()
    #expect(try program.awaitEnd() == .exited(code: 0))
  }
}
