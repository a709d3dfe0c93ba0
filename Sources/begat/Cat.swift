import ArgumentParser
import Clients
@_spi(Begat) import UnixCore

struct Cat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat",
    abstract: "Copy files, the output of commands and standard input to standard output, in the order given.",
    usage: "begat cat [--no-commands] [SOURCE | --file NAME] ...",
    discussion: """
      A source is the name of a file, - for standard input, or a command with | behind it, as in \
      'begat cat header "sort -u names |" - footer'. A command is cut into words as a shell would cut it, and run \
      without one. What fails is said on standard error and the rest goes on; the exit status is 1 then.
      """)

  @Argument(
    help: ArgumentHelp("A file, - for standard input, or \"command |\".", valueName: "source"), completion: .file())
  var sources: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A file with just this name, even one that ends in |; in its place among the sources.", valueName: "name"),
    completion: .file())
  var file: [String] = []

  @Flag(help: "Take what ends in | for the name of a file.")
  var noCommands = false

  func run() throws {
    let client = CatClient(sources: CatSource.inOrder(TypedWords.after("cat"), runningCommands: !noCommands))
    if !client.run() { throw ExitCode.failure }
  }
}
