import Administration
import ArgumentParser
import Settings

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Print another program's configuration, made from begatd's.", subcommands: [HAProxy.self])

  func run() throws { throw Begat.missingCommand(of: Self.self) }

  /// A balancer in front of several machines.
  struct HAProxy: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "haproxy",
      abstract: "Print a configuration of HAProxy for machines that run begatd with this configuration.",
      discussion: """
        Each service gets a frontend and a backend. A client's address decides which machine serves it, so that limits \
        per source hold for all machines together. Warnings name settings that are wrong behind a balancer; the exit \
        status is 1 if no service can be exported, and 78 if begatd would not start with the configuration.
        """)

    @Option(
      help: ArgumentHelp(
        "The machines, as in m1=192.0.2.11,m2=2001:db8::12,m3=host.example.org.", valueName: "name=address,..."),
      transform: { try reading($0, BalancedServer.list) })
    var servers: [BalancedServer]

    @Option(
      help: ArgumentHelp(
        "Listen at this address of the balancer; may be repeated (default: at all of them).", valueName: "address"),
      transform: { try reading($0, BalancerOptions.bindAddress) })
    var bind: [String] = []

    @Option(
      help: ArgumentHelp("The interval of requests to each agent (default: 500ms, at most 1d).", valueName: "time"),
      transform: { try reading($0, BalancerOptions.agentInterval) })
    var agentInterval: Duration?

    @Option(
      name: [.short, .long],
      help: ArgumentHelp("Read this file instead of the one that begatd would read.", valueName: "file"),
      completion: .file(extensions: ["toml"]))
    var config: String?

    func run() throws {
      var options = BalancerOptions(servers: servers, bindAddresses: bind)
      if let agentInterval { options.agentInterval = agentInterval }
      let status = ExportCommand.runHAProxy(file: config, options)
      if status != 0 { throw ExitCode(status) }
    }

    private static func reading<Value>(
      _ text: String, _ read: (String) throws(BalancerArgumentError) -> Value
    ) throws -> Value {
      do throws(BalancerArgumentError) { return try read(text) } catch { throw ValidationError(error.description) }
    }
  }
}
