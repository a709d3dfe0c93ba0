/// A program started by systemd-socket-activate at the first connection or datagram.
final class ActivatedProgram {
  let program: RunningProgram
  let addresses: [String]

  /// - Parameter names: of the sockets, one for each address.
  /// - Parameter options: more of systemd-socket-activate(1).
  init(_ command: [String], addresses: [String], names: [String], options: [String] = []) throws {
    self.addresses = addresses
    var arguments = options + addresses.flatMap { ["-l", $0] } + ["--fdname=" + names.joined(separator: ":")]
    for variable in RunningProgram.environment + ["RUNTIME_DIRECTORY", "STATE_DIRECTORY"] {
      arguments += ["-E", variable]
    }
    program = try RunningProgram(try Programs.tool("systemd-socket-activate"), arguments + command)
    try program.errors.awaitLines(addresses.count, containing: "Listening on")
  }
}
