import Administration
import ArgumentParser

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the configuration as begatd would, and print the settings that hold.",
    usage: "begat check [--config <file>]\nbegat check [--config <file>] --from ADDRESS SERVICE",
    discussion: """
      The exit status is 78 where begatd would not start with it. With --from: what would happen to that client, and \
      by which line of which file; the exit status is then 0 where it is admitted and 1 where it is refused.
      """)

  @Option(
    help: ArgumentHelp("Check this file instead of the one that begatd would read.", valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Tell what would happen to this client: an IPv4 or IPv6 address, or unix:USER.", valueName: "address"))
  var from: String?

  @Argument(
    help: ArgumentHelp("The service that the client asks, with --from.", valueName: "service"),
    completion: .services)
  var service: String?

  func validate() throws {
    if from != nil, service == nil { throw ValidationError("--from needs the name of a service") }
    if from == nil, service != nil { throw ValidationError("a service goes with --from ADDRESS only") }
  }

  func run() throws {
    let status =
      if let from, let service {
        ConfigurationCheck.run(file: config, from: from, to: service)
      } else {
        ConfigurationCheck.run(file: config)
      }
    if status != 0 { throw ExitCode(status) }
  }
}
