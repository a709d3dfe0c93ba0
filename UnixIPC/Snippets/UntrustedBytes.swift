// What a peer says becomes a number, a path or an argument by a check that names it, or a refusal fit for a log.
import Glibc
import UnixIPC

/// Serves a line of a small protocol: `port NUMBER`, `open PATH`, `echo WORDS`.
func answer(_ line: UntrustedBytes, from root: borrowing Descriptor) throws -> String {
  guard let word = line.firstWord else { return "nothing was said" }
  let rest = line.trimmed.dropping(prefix: "port ") ?? line.trimmed.fields(separatedBy: " ", atMost: 2)[1...].first
  guard let rest else { return "\(word.escaped) wants a word more" }

  if word.isWord("port", ignoringCase: true) {
    return "port \(try rest.number(in: 1...UInt16.max))"
  } else if word.isWord("open") {
    // The check keeps the text in bounds, the kernel the links that it meets.
    let file = try root.open(beneath: rest.relativePath(), [.readOnly, .nonBlocking])
    return "opened \(try rest.text()) as descriptor \(file.number)"
  } else if word.isWord("echo") {
    let echo = Program(path: "/bin/echo", arguments: [try rest.argument()])
    return String(decoding: try echo.capture(limit: 1000).output.dropLast(), as: UTF8.self)
  }
  return "no such command: \(word.escaped)"
}

/// A connection to a peer that has read about perl's servers, and has said all that it wants to.
func connection() throws -> Descriptor {
  let pair = try SocketPair(kind: .stream)
  let peer = pair.second
  try peer.writeAll("port 8080\nport x23y\nport 65536\nopen hostname\nopen ../etc/shadow\nopen mtab\n")
  try peer.writeAll("echo hello there\necho -e \\033[2J\n\u{1b}[2J all gone\n")
  return pair.first
}

CommandLineProgram.run {
  let server = try connection()
  let root = try Descriptor.open("/etc", [.readOnly, .directory])
  var lines = LineBuffer(limit: 512)
  try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
    while case let count = try server.receive(into: room), count > 0 {
      for byte in room[..<count] {
        switch lines.append(byte) {
        case .complete(let line):
          // `print("\(line): ...")` does not compile.
          do { print("\(line.escaped): \(try answer(line, from: root))") } catch { print("refused: \(error)") }
        case .tooLong: print("refused: a line of more than 512 bytes")
        case nil: break
        }
      }
    }
  }
}
