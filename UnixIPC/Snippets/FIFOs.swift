// A signature that is another one for each reader: FIFOs PATH [READERS], then `cat PATH`.
import UnixIPC

CommandLineProgram.run {
  let words = CommandLineProgram.arguments
  let limit = words.count > 1 ? Int(words[1]) ?? 3 : 3
  let end = try Cancellation(on: .terminationRequests)
  // "FIFOs: mkfifo signature: exists and is not a FIFO; remove it or choose another path"
  var server = try FIFOServer(at: words.first ?? "signature")
  var served = 0
  while served < limit, !end.isCancelled {
    served += try server.serve(cancelledBy: end) { "John Smith (smith@host.org)\nReader \(served + 1)\n" }
  }
}
