import Administration
import ArgumentParser

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the configuration as begatd would, and print the settings that hold.",
    discussion: "The exit status is 78 where begatd would not start with it.")

  @Option(
    help: ArgumentHelp("Check this file instead of the one that begatd would read.", valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var config: String?

  func run() throws {
    let status = ConfigurationCheck.run(file: config)
    if status != 0 { throw ExitCode(status) }
  }
}
