import Admission
import Configuration
import Confinement
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Starts listeners: a program beside begatd, with a built environment and exactly the descriptors it needs.
struct ListenerStarter {
  let programs: OwnPrograms
  var drainTimeout: Duration
  var names: NameResolver?
  /// The table of bans, which every listener reads.
  let bans: SharedBans
  /// The descriptor that listeners get as standard error.
  let standardError: CInt
  /// The resource limits that listeners get in the place of begatd's own.
  let limits: [Program.Limit]
  /// Ports at which any service of begatd's answers datagrams.
  var datagramPorts: [UInt16]
  /// Whether listeners get a second channel, which the service manager keeps for the next begatd.
  let keepsChannels: Bool

  /// Starts a generation of a service, which accepts nothing before it is told to begin.
  ///
  /// - Parameter boardNumber: the number of its scoreboard in the state page.
  func start(_ service: ManagedService, boardNumber: UInt32) throws(SystemCallError) -> Generation {
    let configuration = service.configuration
    let asksForNames = configuration.settings.looksUpNames && names != nil
    var options = ListenerOptions(configuration, sockets: service.socketKinds, hasResolver: asksForNames)
    let scoreboard = SharedFile(try Scoreboard.create(slotCount: options.slotCount))
    let board = try ScoreboardReader(scoreboard.descriptor, slotCount: options.slotCount)
    try AdmissionBook.makeRoom(
      in: service.admissionBook, maxConnections: configuration.settings.admission.maxConnections)
    let channel = try SocketPair(kind: .sequencedPacket)
    var descriptors: [CInt] = [StandardStreams.nullNumber, StandardStreams.nullNumber, standardError]
    func pass(_ number: CInt) -> CInt {
      descriptors.append(number)
      return CInt(descriptors.count - 1)
    }

    let column = service.freeColumn
    options.sockets = service.sockets.map { pass($0.descriptor.number) }
    options.closingSockets = service.closing.map { pass($0.descriptor.number) }
    var source = RecordSource(service: service.name)
    for (number, socket) in zip(options.sockets + options.closingSockets, service.sockets + service.closing) {
      source.sockets[number] = "\(socket.address)"
    }
    options.drainTimeout = drainTimeout
    options.datagramPorts = datagramPorts
    options.channel = pass(channel.second.number)
    let keptChannel = keepsChannels ? try KeptChannel() : nil
    if let keptChannel { options.keptChannel = pass(keptChannel.listening.descriptor.number) }
    options.scoreboard = pass(scoreboard.descriptor.number)
    options.admissionBook = pass(service.admissionBook.number)
    options.column = column
    options.bans = pass(bans.table.object.number)
    options.banNumber = service.number
    let requests = asksForNames ? try NameRequests() : nil
    if let requests, let names {
      options.names = pass(names.readableCache.number)
      options.nameRequests = pass(requests.asking.descriptor.number)
    }

    var program = programs.listener.program(options.arguments, title: "begat-listener: \(configuration.name)")
    program.limits = limits
    let process = try DaemonPrivileges.lend(.ofStarts) { () throws(SystemCallError) in
      try program.start(descriptors: descriptors)
    }
    return Generation(
      number: service.nextGenerationNumber(), process: process, channel: channel.first,
      keptChannel: keptChannel?.answering,
      column: column, nameRequests: requests?.answering, board: board, boardFile: scoreboard, boardNumber: boardNumber,
      showsState: configuration.builtIn?.needsSupervisor ?? false, source: source)
  }
}

/// The two ends of a listener's second channel: it is used when the first one has ended, and with it the begatd that has
/// started the listener.
private struct KeptChannel {
  let answering: SharedFile
  let listening: SharedFile

  init() throws(SystemCallError) {
    let pair = try SocketPair(kind: .sequencedPacket)
    answering = SharedFile(pair.first)
    listening = SharedFile(pair.second)
  }
}

/// The two ends of a socket at which connection processes ask for names.
private struct NameRequests {
  let asking: SharedFile
  let answering: SharedFile

  init() throws(SystemCallError) {
    // This kind keeps messages apart and reports end of file, so that the resolver finds out when the last
    // process is gone.
    let pair = try SocketPair(kind: .sequencedPacket)
    asking = SharedFile(pair.first)
    answering = SharedFile(pair.second)
  }
}
