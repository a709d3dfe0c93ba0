import Glibc
import NameService
import UnixIPC

// One small thing of each family, with what is public and nothing else.

struct Wrong: Error {
  let what: String
}

func expect(_ condition: Bool, _ what: String) throws {
  if !condition { throw Wrong(what: what) }
}

func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

let soon = Deadline(after: .seconds(20))

func signals() throws {
  try Signal.withDisposition(.counted, for: .user1) {
    try Signal.user1.raise()
    try expect(Signal.user1.count >= 1, "a counted signal")
  }
  try expect(try Liveness(of: getpid()) == .alive, "our own liveness")
}

func timeLimits() throws {
  let ends = try PipeEnds()
  let error = Result { try withDeadline(after: .milliseconds(10)) { _ = try ends.readEnd.readPrefix(1) } }
  try expect("\(error)".contains("timed out"), "\(error)")
}

func processes() throws {
  try expect(try ForkedProcess.run { 7 }.waitForExit() == .exited(code: 7), "a forked process")
  let child = try Program(path: "/bin/sleep", arguments: ["50"]).spawn()
  try expect(!child.terminate().isSuccess, "a child that is ended")
}

func pipes() throws {
  let capture = try Program(path: "/bin/echo", arguments: ["word"]).capture(limit: 100, until: soon)
  try expect(text(capture.output) == "word\n", "a capture")
  let stages = Pipeline(
    Program(path: "/bin/echo", arguments: ["word"]), Program(path: "/usr/bin/tr", arguments: ["a-z", "A-Z"]))
  var output = try stages.openForReading()
  try expect(text(try output.readLine(until: soon)) == "WORD", "a pipeline")
  try expect(try output.closeStages().allSatisfy(\.isSuccess), "its statuses")
  var cat = try Conversation(with: Program(path: "/bin/cat"))
  try cat.send("line\n")
  try expect(text(try cat.readLine(until: soon)) == "line", "a conversation")
  try expect(try cat.close().isSuccess, "its status")
}

func fifos() throws {
  let fifo = try FIFO.make(at: "/tmp/unixipc-consumer-\(getpid())")
  let path = fifo.path
  let reader = try Program(path: "/bin/cat", arguments: [path.text ?? ""]).openForReading()
  let writing = try fifo.openForWriting(until: soon)
  try writing.writeAll("text")
  _ = consume writing
  var lines = reader
  try expect(text(try lines.readLine(until: soon)) == "text", "a FIFO")
  try expect(fifo.removeIfOurs(), "its removal")
}

func terminals() throws {
  var cat = try TerminalConversation(Program(path: "/bin/cat"))
  try cat.sendLine("login")
  _ = try cat.expect("login\r\n", until: soon)
  _ = try cat.expect([.regex(/log(in|out)/), .endOfFile], until: soon)
  try cat.sendEndOfFile()
  try expect(try cat.waitForExit(until: soon).isSuccess, "a terminal's program")
}

func sockets() throws {
  let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
  let port = try listener.descriptor.localAddress().address?.port ?? 0
  let connection = try ConnectionTarget("localhost", port: "none(\(port))").connect(until: soon)
  let socket = connection.socket
  try socket.shutDownSending()
  try expect(Ports.find("daytime(13)", transport: .tcp) == 13, "a service's port")
}

func systemV() throws {
  let memory = try SharedMemorySegment.createAttached(size: 100, removal: .atLastDetach)
  try memory.writeCounted(Array("Message #1".utf8))
  try expect(text(try memory.readCounted()) == "Message #1", "shared memory")
  let semaphore = try SemaphoreSet.create(values: [0])
  defer { try? semaphore.remove() }
  try semaphore.withTaken(until: soon) {
    try expect(try !semaphore.tryTake(), "a semaphore that is taken")
  }
}

func untrusted() throws {
  let port = UntrustedBytes(text: "x23y")
  try expect((try? port.number(in: 1...65535)) == nil && port.escaped == "x23y", "what is no number")
}

do {
  for family in [signals, timeLimits, processes, pipes, fifos, terminals, sockets, systemV, untrusted] { try family() }
  print("all families serve")
} catch {
  print(error)
  exit(1)
}
