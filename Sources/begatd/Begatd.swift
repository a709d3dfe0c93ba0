import Administration
import ArgumentParser
import Glibc
import Settings
import Supervision

@main
struct Begatd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "begatd", abstract: "Serve small network services, each connection in a process of its own.",
    discussion: """
      Without a configuration file, every built-in service is served on loopback addresses and unprivileged ports.  \
      SIGTERM stops it: clients are accepted until announce-time is over, and open connections may end within \
      drain-timeout; a second SIGTERM ends everything immediately.
      """, version: "begatd \(BegatVersion.text)")

  @Option(name: [.short, .long], help: ArgumentHelp("Read this file, and conf.d/*.toml beside it.", valueName: "file"))
  var config: String?

  @Flag(help: "Check the configuration, say what is wrong or what holds, and end.")
  var check = false

  @Flag(
    help: "As root: give services users of their own, write their records for the machine's name service, and end.")
  var writeUserRecords = false

  @Flag(help: "Leave the terminal; return when all is served.")
  var daemon = false

  @Flag(help: "End a stop as soon as no client is accepted any more: open connections go on without begatd.")
  var leaveListeners = false

  @Option(help: ArgumentHelp("Write the process number to this file when all is served.", valueName: "file"))
  var pidFile: String?

  @Option(
    help: ArgumentHelp(
      "Write a line SERVICE ADDRESS for each bound address to this descriptor and close it when all is served.",
      valueName: "fd"))
  var readyFd: Int32?

  /// How begatd starts its own resolver.
  @Flag(help: .hidden)
  var resolveNames = false

  /// The user that the resolver becomes.
  @Option(help: .hidden)
  var userNumber: UInt32?

  @Option(help: .hidden)
  var groupNumber: UInt32?

  /// How begatd starts the process that writes a log file.
  @Flag(help: .hidden)
  var writeLog = false

  /// The descriptor of all that begatd takes over when it is upgraded.
  @Option(help: .hidden)
  var takeOver: Int32?

  /// How begatd starts a child that tries an upgrade.
  @Flag(help: .hidden)
  var trial = false

  /// The descriptor of the program before.
  @Option(help: .hidden)
  var formerProgram: Int32?

  /// Why an upgrade has failed.
  @Option(help: .hidden)
  var refusal: String?

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let text = fullMessage(for: error)
      let code = exitCode(for: error)
      // Help and the version are no faults.
      guard code != .success, !text.isEmpty else { exit(withError: error) }
      if let status = SupervisorProgram.refuseCommandLine(message(for: error), status: code.rawValue) {
        exit(withError: ExitCode(status))
      }
      guard StandardErrorMessage.isInJournal else { exit(withError: error) }
      StandardErrorMessage.write(text, of: "begatd")
      exit(withError: code)
    }
  }

  func validate() throws {
    if let readyFd, readyFd < 3 || fcntl(readyFd, F_GETFD) == -1 {
      throw ValidationError("--ready-fd \(readyFd): not an open descriptor above 2")
    }
  }

  func run() throws {
    let status: Int32 =
      if resolveNames {
        NameResolverProgram.run(user: userNumber, group: groupNumber)
      } else if writeLog {
        LogWriterProgram.run()
      } else if writeUserRecords {
        UserRecordsProgram.run(configurationFile: config)
      } else if check {
        ConfigurationCheck.run(file: config, as: "begatd")
      } else {
        SupervisorProgram.run(
          configurationFile: config, readyDescriptor: readyFd, leavesTerminal: daemon, leavesListeners: leaveListeners,
          pidFile: pidFile,
          takeover: takeOver.map {
            Takeover(document: $0, isTrial: trial, former: formerProgram, refusal: refusal)
          })
      }
    throw ExitCode(status)
  }
}
