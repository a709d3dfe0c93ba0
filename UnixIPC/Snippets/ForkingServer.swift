// Tells each client the time, from a process of its own, as perlipc's server does.
//
//     ForkingServer [PORT]        0, the default, lets the kernel choose

import Glibc
import UnixIPC

do {
  let port = UInt16(CommandLine.arguments.dropFirst().first ?? "0") ?? 0
  let listener = try ListeningSocket(.ipv6(.any, port: port), backlog: 128, options: BindOptions(acceptsIPv4: true))
  print("listening at port", try listener.descriptor.localAddress().address?.port ?? 0)
  fflush(nil)
  let signal = try ConnectionServer(listener, maxChildren: 50).run(childDidEnd: { child in
    print("process \(child.process) for \(child.peer.map { "\($0)" } ?? "a client"): \(child.status)")
  }) { client, peer in
    try client.sendAll("Hello there, \(peer.map { "\($0)" } ?? "stranger"), it's now \(time(nil)).\r\n")
  }
  print("ended by", signal.map { "\($0)" } ?? "nothing")
} catch {
  print(error)
  exit(1)
}
