// A signature that is another one for each reader: FIFOs PATH [READERS], then `cat PATH`.
import Glibc
import UnixIPC

let path = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "signature"
let limit = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 3 : 3

do {
  var server = try FIFOServer(at: path)
  var served = 0
  while served < limit {
    served += try server.serve { Array("John Smith (smith@host.org)\nReader \(served + 1)\n".utf8) }
  }
} catch {
  // "mkfifo signature: exists and is not a FIFO; remove it or choose another path"
  print(error)
  exit(1)
}
