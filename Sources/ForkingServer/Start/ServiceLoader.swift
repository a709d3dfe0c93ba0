import AgentService
import ControlProtocol
import Monitoring
import NetworkServices
import Settings
import StatusService
@_spi(Begat) import UnixCore

/// A network service's one function.
///
/// A listener keeps its service in this form: to call an `any NetworkService`, each connection process would read the
/// type's metadata and its witness table, on a page of constants that nothing else of a connection needs.
typealias ServiceFunction = (inout Connection) throws(ConnectionFailure) -> Void

/// What a listener gives its clients.
enum Offer {
  /// A built-in service, in a process forked for the connection.
  case service(ServiceFunction)
  /// A process that relays bytes between the client and its program.
  case relay(RelayService)
  /// A program that has the connection to itself.
  case program(PreparedProgram)
  /// A program that gets the listening sockets.
  case handover(PreparedProgram)

  /// The service of a process that is forked for a connection.
  var connectionService: ServiceFunction {
    switch self {
    case .service(let builtIn): builtIn
    case .relay(let relay): relay.serve
    case .program, .handover: { _ in preconditionFailure("a program is executed, not served") }
    }
  }

  var kind: OfferKind {
    switch self {
    case .service: .service
    case .relay: .relay
    case .program: .program
    case .handover: .handover
    }
  }
}

/// The kind of an offer, for each turn of a listener: a copy of the offer itself counts references, and each count that
/// the parent changes after a fork costs it a copied page.
enum OfferKind {
  case service
  case relay
  case program
  case handover

  /// Whether each connection has a process group of its own, with programs in it.
  var runsPrograms: Bool { self != .service }

  /// Whether a process relays the bytes of a program, whose end it reports as an exit status.
  var relays: Bool { self == .relay }

  /// Whether each connection has a process that is a copy of the listener.
  var forks: Bool { self == .service || self == .relay }

  /// Whether a program gets the listening sockets.
  var handsOver: Bool { self == .handover }

  /// Whether a signal that ends a connection is sent to the whole of its group: a relay passes SIGTERM on to its program.
  func reachesGroup(by signal: Signal) -> Bool {
    switch self {
    case .service: false
    case .relay: signal != .terminate
    case .program, .handover: true
    }
  }
}

/// A service with all the files of the machine read that it needs.
struct LoadedService {
  let offer: Offer
  /// The same service, if it is defined for datagrams; nil otherwise.
  let datagram: (any DatagramService)?
  /// Descriptors that connection processes need.
  private(set) var needed: [CInt] = []
  /// Where the listener keeps what begatd passes to it; nil for services that show nothing of that.
  private(set) var sharedState: SharedState?

  /// A built-in service.
  ///
  /// - Parameter errors: where standard error of commands goes.
  /// - Parameter warn: is told what could not be read.
  init(_ builtIn: BuiltIn, options: ListenerOptions, programs: ProgramLoader, errors: CInt, warn: (String) -> Void)
    throws(SystemCallError)
  {
    CalendarTime.readTimeZone()
    func fortunes() throws(SystemCallError) -> FortuneCollection {
      try FortuneLoader(
        databases: options.fortune.databases, includesOffensive: options.fortune.offensive,
        longest: options.fortune.maxLength
      ).load(warn: warn)
    }
    switch builtIn {
    case .hello: self.init(stream: HelloService(fortunes: try fortunes()))
    case .fortune: self.init(both: FortuneService(fortunes: try fortunes()))
    case .daytime: self.init(both: DaytimeService())
    case .time: self.init(both: TimeService())
    case .echo: self.init(both: EchoService())
    case .discard: self.init(both: DiscardService())
    case .chargen: self.init(both: ChargenService())
    case .command:
      let commands = try programs.commands()
      var added: AddedCommands?
      var needed: [CInt] = []
      if !commands.isEmpty {
        needed = [try Descriptor.open("/dev/null", .readOnly).release(), errors]
        added = AddedCommands(commands, input: needed[0], errors: errors)
      }
      self.init(
        stream: CommandService(fortunes: try fortunes(), messageOfTheDay: MessageOfTheDay.read(), added: added))
      self.needed = needed
    case .status:
      let state = SharedState()
      self.init(
        stream: StatusService(
          state, serviceName: options.name, showsPeers: options.showPeers, names: options.serverNames,
          headTimeout: options.firstByteLimit ?? ServiceSettings.requestTimeout))
      sharedState = state
    case .haproxyAgent:
      let state = SharedState()
      self.init(stream: AgentService(state, serviceName: options.name, weight: options.weight))
      sharedState = state
    }
  }

  /// A program.
  ///
  /// - Parameter errors: where standard error of a relayed program goes.
  init(program programs: ProgramLoader, errors: CInt) throws(SystemCallError) {
    datagram = nil
    if programs.options.wait {
      offer = .handover(try programs.handover())
    } else if programs.options.relay {
      offer = .relay(RelayService(program: try programs.relayed(), errors: errors))
      needed = [errors]
    } else {
      offer = .program(try programs.perConnection())
    }
  }

  private init(stream: some NetworkService) {
    offer = .service(stream.serve)
    datagram = nil
  }

  private init(both service: some DatagramService) {
    offer = .service(service.serve)
    datagram = service
  }
}
