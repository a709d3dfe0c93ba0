@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// A shell with job control on a terminal of its own, for commands that use their user's terminal.
extension TerminalConversation {
  /// Starts the shell, in which `$BEGAT` is the program under test, and waits for its prompt, `$ `.
  static func shell(_ environment: [String], until deadline: UnixCore.Deadline) throws -> TerminalConversation {
    let program = Program(
      path: try Programs.tool("bash"), arguments: ["--norc", "--noprofile", "-i"],
      environment: .init(
        entries: RunningProgram.environment + ["PS1=$ ", "PS2=", "BEGAT=\(try Programs.begat())", "INPUTRC=/dev/null"]
          + environment))
    var shell = try TerminalConversation(program)
    try shell.expect("$ ", until: deadline)
    return shell
  }

  /// The settings of the terminal while a command runs; the shell has others while a line is edited.
  mutating func settings(until deadline: UnixCore.Deadline) throws -> String {
    try sendLine("stty -a; echo en\"\"d", until: deadline)
    let match = try expect("end\r\n", until: deadline)
    try expect("$ ", until: deadline)
    return String(match.textBefore.drop { $0 != "\n" && $0 != "\r\n" })
  }

  /// The exit status of the last command.
  mutating func status(until deadline: UnixCore.Deadline) throws -> String? {
    try sendLine("echo sta\"\"tus $?", until: deadline)
    return try expect(.regex(#/status (\d+)\r\n\$ /#), until: deadline).capture(1)
  }
}
