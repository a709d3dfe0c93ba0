// Tells each client the time, from a process of its own, as perlipc's server does.
//
//     ForkingServer [PORT]        0, the default, lets the kernel choose

import Glibc
import UnixIPC

/// perlipc's `logmsg`: what stays in a buffer would be lost with the process, or printed twice.
func log(_ message: String) {
  print("\(CommandLineProgram.name) \(getpid()): \(message) at \(LocalTime.now)")
  fflush(nil)
}

CommandLineProgram.run {
  let port = UInt16(CommandLineProgram.arguments.first ?? "0") ?? 0
  let listener = try ListeningSocket(port: port)
  print("listening at port", try listener.descriptor.localAddress().address?.port ?? 0)
  fflush(nil)
  let signal = try ConnectionServer(listener, maxChildren: 50).run(
    childDidStart: { child in log("begat \(child.process) for \(child.peer?.host ?? "a client")") },
    childDidEnd: { child in log("reaped \(child.process): \(child.status)") }
  ) { client, peer in
    try client.sendAll("Hello there, \(peer?.host ?? "stranger"), it's now \(LocalTime.now)\r\n")
  }
  log("ended by \(signal.map { "\($0)" } ?? "nothing")")
}
