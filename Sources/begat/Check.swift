import Administration
import ArgumentParser

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check the configuration as begatd would, and print the settings that hold.",
    usage: "begat check [<file>]\nbegat check [--config <file>] --from ADDRESS [--via PROXY] SERVICE",
    discussion: """
      The exit status is 78 if begatd would not start with it. With --from: what would happen to that client, and \
      which line of which file decides; the exit status is then 0 if it is admitted and 1 if it is refused. The file \
      may be - for standard input, or a pipe such as a shell's <(...).
      """)

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Check this file instead of the one that begatd would read: /etc/begat/begatd.toml, or a user's own in ~/.config/begat.",
      valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Tell what would happen to this client: an IPv4 or IPv6 address, or unix:USER.", valueName: "address"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "The proxy that names the client by a PROXY header: an IPv4 or IPv6 address, or unix:USER.",
      valueName: "address"))
  var via: String?

  @Argument(
    help: ArgumentHelp(
      "The file to check; with --from, the service that the client asks.", valueName: "file or service"),
    completion: .services)
  var operand: String?

  func validate() throws {
    if from != nil, operand == nil { throw ValidationError("--from needs the name of a service") }
    if via != nil, from == nil { throw ValidationError("--via needs --from, the client that the proxy names") }
    if from == nil, operand != nil, config != nil {
      throw ValidationError("expected one file: either behind --config or by itself")
    }
  }

  func run() throws {
    let status =
      if let from, let operand {
        ConfigurationCheck.run(file: config, from: from, via: via, to: operand, as: "begat check")
      } else {
        ConfigurationCheck.run(file: config ?? operand, as: "begat check")
      }
    if status != 0 { throw ExitCode(status) }
  }
}
