import ArgumentParser
import Clients
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

struct Interact: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interact",
    abstract: "Run a program on a terminal of its own, take steps with it, and hand it over.",
    usage: "begat interact [STEP...] [<options>] [--] COMMAND [ARGUMENT...]",
    discussion: """
      The steps are taken in the order in which they stand, as in 'begat interact --expect login: --send "guest\\r" \
      --expect Password: --send-environment PASSWORD --send "\\r" -- telnet host'. The Enter key is \\r; for programs \
      that read lines \\n does as well. A step that fails ends the program.

      Then standard input is the program's: a terminal is handed over until the program ends or the escape key is \
      pressed, which ends it; from a file or pipe everything is typed, and at its end Ctrl-D, as often as the program \
      reads on. What the program writes goes to standard output as it is.

      The exit status is the program's (128+n where signal n ended it), 1 where a step failed, 126 or 127 where the \
      program cannot be run or is not found.
      """)

  @OptionGroup var conversation: ConversationOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The escape key: one character, ^X for Control-X, or none (default: ^]).", valueName: "key"),
    transform: readEscapeKey)
  var escape: EscapeKey?

  @Option(
    help: ArgumentHelp(
      "Write all that the program writes to this file too, which is emptied first.", valueName: "file"),
    completion: .file())
  var log: String?

  @Option(
    help: ArgumentHelp(
      "Write all that is sent to the program to this file, which is emptied first; [sent] for --send-environment.",
      valueName: "file"), completion: .file())
  var logSent: String?

  @Option(
    help: ArgumentHelp(
      "The size of the program's terminal (default: that of this one, else 80x24).", valueName: "columnsxrows"),
    transform: readTerminalSize)
  var size: TerminalSize?

  @Flag(
    name: .customLong("expect-no-echo"),
    help: "Step: wait until the program's terminal does not show what is typed, as for a password.")
  var noEchoes: Int

  @Flag(help: "The program's terminal does not show what is sent.")
  var noEcho = false

  private func settings() throws -> ConversationSettings {
    try conversation.settings(otherSteps: noEchoes)
  }

  func validate() throws { _ = try settings() }

  func run() throws {
    var client = InteractClient(try settings())
    if let escape { client.escape = escape }
    client.log = log
    client.sentLog = logSent
    client.size = size
    client.echoes = !noEcho
    let status = client.run()
    if status != 0 { throw ExitCode(status) }
  }
}

private func readTerminalSize(_ text: String) throws -> TerminalSize {
  let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { UInt16(decimal: $0) }
  guard parts.count == 2, let columns = parts[0], let rows = parts[1], columns > 0, rows > 0 else {
    throw ValidationError("a size is COLUMNSxROWS, as in 132x50")
  }
  return TerminalSize(columns: columns, rows: rows)
}

private func readEscapeKey(_ text: String) throws -> EscapeKey {
  guard let key = EscapeKey(text) else {
    throw ValidationError("a key is one character, ^X for Control-X, or none")
  }
  return key
}
