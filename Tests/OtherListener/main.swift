// A listener of another version: its channel and its scoreboard are not those of the begatd under test.
import CSharedLayouts
import Glibc

/// A version that no begatd has yet.
let version: UInt16 = 77

/// The number that an option has, such as `--channel 3`.
func number(_ option: String) -> CInt? {
  let words = CommandLine.arguments
  guard let place = words.firstIndex(of: option), place + 1 < words.count else { return nil }
  return CInt(words[place + 1])
}

guard let channelNumber = number("--channel"), let boardNumber = number("--scoreboard"),
  let socketNumber = number("--socket")
else { exit(64) }

/// Sends a message with any bytes behind its header.
func send(_ kind: UInt16, value: UInt32 = 0, _ body: [UInt8] = []) {
  var header = begat_message(version: version, kind: kind, value: value)
  let bytes = withUnsafeBytes(of: &header) { Array($0) } + body
  _ = bytes.withUnsafeBytes { write(channelNumber, $0.baseAddress, $0.count) }
}

// Its scoreboard says nonsense to readers of another version: everything in it is taken and busy.
var facts = stat()
fstat(boardNumber, &facts)
let board = mmap(nil, Int(facts.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, boardNumber, 0)!
memset(board, 0x11, Int(facts.st_size))
let header = board.assumingMemoryBound(to: begat_scoreboard.self)
header.pointee.magic = UInt32(BEGAT_SCOREBOARD_MAGIC)
header.pointee.version = version
close(boardNumber)

enum Kind {
  static let ready: UInt16 = 1, alive: UInt16 = 2, connections: UInt16 = 3, log: UInt16 = 4
  static let question: UInt16 = 5, begin: UInt16 = 6, retire: UInt16 = 7, retired: UInt16 = 10
}

send(Kind.log, value: 5 | 200 << 8 | 1 << 16, Array("a line of another version".utf8))
send(4711, Array("a kind that is not known".utf8))
send(Kind.ready)
var accepts = false
while true {
  var query = [
    pollfd(fd: channelNumber, events: Int16(POLLIN), revents: 0),
    pollfd(fd: accepts ? socketNumber : -1, events: Int16(POLLIN), revents: 0),
  ]
  poll(&query, 2, -1)
  if query[0].revents != 0 {
    var room = [UInt8](repeating: 0, count: 8192)
    let count = read(channelNumber, &room, room.count)
    guard count >= MemoryLayout<begat_message>.size else { exit(0) }
    let message = room.withUnsafeBytes { $0.loadUnaligned(as: begat_message.self) }
    switch message.kind {
    case Kind.question: send(Kind.alive, value: message.value)
    case Kind.begin: accepts = true
    case Kind.retire:
      send(Kind.retired)
      exit(0)
    default: break
    }
  }
  if query[1].revents != 0 {
    let client = accept(socketNumber, nil, nil)
    _ = write(client, "another version\n", 16)
    close(client)
    // Longer than the records of the begatd under test.
    send(Kind.connections, value: 2, Array(repeating: 0x22, count: 2 * 333))
  }
}
