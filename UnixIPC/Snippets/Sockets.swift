// Asks hosts for the time of day (RFC 867): the first by TCP, and then all at once by UDP.
//
//     Sockets [-p SERVICE] HOST...        SERVICE is a number, a name, or both: daytime(13)

import Glibc
import NameService
import UnixIPC

var hosts = Array(CommandLine.arguments.dropFirst())
var service = "daytime(13)"
if hosts.first == "-p", hosts.count >= 2 {
  service = hosts[1]
  hosts.removeFirst(2)
}
guard let first = hosts.first else {
  print("usage: Sockets [-p SERVICE] HOST...")
  exit(64)
}
var hasFailed = false

/// What came from outside is printed without its control characters.
func show(_ host: String, _ text: String) { print("\(String(escaping: host.utf8)): \(text)") }

func shown(_ bytes: [UInt8]) -> String {
  String(escaping: bytes.filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") })
}

// One connection: every address of the host is tried, and ten seconds are enough for all that follows.
do {
  let deadline = Deadline(after: .seconds(10))
  let connected = try ConnectionTarget(first, port: service).connect(until: deadline)
  try connected.socket.shutDownSending()
  var answer: [UInt8] = []
  var hasEnded = false
  try withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { room in
    while !hasEnded, answer.count < 4096, connected.socket.wait(for: .readable, until: deadline) {
      let count = try connected.socket.receive(into: room)
      answer += room[..<count]
      hasEnded = count == 0
    }
  }
  show(first, "\(shown(answer)) (\(connected.address)\(hasEnded ? "" : ", cut"))")
} catch {
  show(first, "\(error)")
  hasFailed = true
}

// One question to many: two seconds for all hosts together, and a line for each, silent ones too.
guard let port = Ports.find(service, transport: .udp) else {
  print("no such service: \(String(escaping: service.utf8))")
  exit(64)
}
do {
  let targets = hosts.map { ConnectionTarget.host($0, port: port) }
  let deadline = Deadline(after: .seconds(2))
  var asked: [(host: String, address: SocketAddress)] = []
  for (host, found) in zip(hosts, try HostLookups.addresses(of: targets, until: deadline)) {
    do { asked.append((host, try found.get()[0])) } catch {
      show(host, "\(error.reason)")
      hasFailed = true
    }
  }
  let inquiry = DatagramInquiry(question: [], maxAnswerSize: 512)
  for (host, outcome) in zip(asked, try inquiry.ask(asked.map(\.address), until: deadline)) {
    // "refused", "silent", or an error.
    show(host.host, outcome.answer.map { "\(shown($0.bytes)) (after \($0.roundTrip))" } ?? "\(outcome)")
    if outcome.answer == nil { hasFailed = true }
  }
}
exit(hasFailed ? 1 : 0)
