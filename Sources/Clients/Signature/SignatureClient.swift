import NetworkServices
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat signature`: a FIFO of which each reader gets a name and a fresh text.
public struct SignatureClient: Sendable {
  /// Nil is `.signature` in the home directory.
  public var path: String?
  /// The lines above the text; nil is the user's name and address.
  public var names: [String]?
  /// Databases of fortunes, as files or directories of them; empty means the usual directory.
  public var fortunes: [String]
  /// A command whose output is the text, instead of a fortune; empty for none.
  public var words: UserCommand
  /// How long the command may run.
  public var commandLimit: Duration

  /// Readers that come together get what one write passes on whole.
  ///
  /// Source: pipe(7), PIPE_BUF.
  static let most = 4096

  private let command = CommandRun(command: "begat signature")

  public init(
    path: String? = nil, names: [String]? = nil, fortunes: [String] = [],
    command words: UserCommand = UserCommand([String]()),
    commandLimit: Duration = .seconds(5)
  ) {
    self.path = path
    self.names = names
    self.fortunes = fortunes
    self.words = words
    self.commandLimit = commandLimit
  }

  /// Serves until SIGTERM, SIGINT, SIGQUIT or SIGHUP.
  ///
  /// - Returns: the exit status.
  public func run() -> CInt {
    command.attempt(failure: ExitStatuses.failure) {
      guard let path = path ?? SignatureOwner.path else {
        command.complain("there is no home directory: name a place with --fifo")
        return ExitStatuses.failure
      }
      let heading = Array((names ?? [SignatureOwner.nameLine]).map { $0 + "\n" }.joined().utf8)
      guard heading.count <= Self.most else {
        command.complain("the name has more than \(Self.most) bytes")
        return ExitStatuses.failure
      }
      // A command that does not exist serves no reader.
      let text: SignatureText
      do throws(SystemCallError) { text = try makeText() } catch { return command.complain(ofCommand: error) }
      try serve(at: path) { requests in
        let most = Self.most - heading.count
        return heading + (text.next(atMost: most, cancelledBy: requests, complain: command.complain) ?? [])
      }
      return 0
    }
  }

  private func makeText() throws(SystemCallError) -> SignatureText {
    guard !words.isEmpty else {
      let loader = FortuneLoader(databases: fortunes, longest: SignatureText.longestFortune)
      return .fortunes(try loader.load(warn: command.complain))
    }
    var program = try words.program()
    program.leadsGroup = true
    return .command(program, name: words.text, limit: commandLimit)
  }

  private func serve(at path: String, _ signature: (Cancellation) -> [UInt8]) throws {
    // From before there is anything to remove.
    let requests = try SignalQueue(.terminationRequests)
    let cancellation = try Cancellation(whenReadable: requests.descriptor)
    var server = try FIFOServer(at: path)
    if StandardStream.errors.isTerminal {
      let words = "serving \(path): read it as any file, as with cat; Ctrl-C ends it"
      command.complain(words)
    }
    // Each reader finds one ready, however long a command takes.
    var ready: [UInt8]?
    while requests.take() == nil {
      if ready == nil { ready = signature(cancellation) }
      _ = try server.serve(cancelledBy: cancellation) { ready.take() ?? signature(cancellation) }
    }
  }
}
