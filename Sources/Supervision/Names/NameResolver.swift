import Configuration
import Confinement
import ControlProtocol
import Glibc
@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// The process that looks up hosts' names, seen from begatd.
///
/// Its answers come from the network: so it is another process, without privileges, and begatd reads no more of them than
/// names for reports, which the cache checks.
final class NameResolver {
  /// The cache of names: the resolver alone gets this descriptor, and can write by it.
  private let cacheObject: Descriptor
  /// The same for listeners, which can only read.
  let readableCache: Descriptor
  private let cache: NameCache
  private(set) var process: pid_t?
  /// Where it answers that it still turns; nil while it does not run.
  private var channel: Descriptor?
  /// Sockets of listeners that wait for room in the channel.
  private var outbox = Outbox()
  var inquiry = Inquiry()
  var restartTime: Int64?

  /// The user that it runs as from its next start on; not `none`.
  private(set) var user: ResolverUser
  private let program: HeldProgram
  private let standardError: CInt
  private let limits: [Program.Limit]

  /// Of the layout of the names that are known; another one's are not taken over.
  static let cacheVersion = 1

  /// The memory object of the names that are known.
  var cacheNumber: CInt { cacheObject.number }

  /// - Parameter user: the user that it runs as; not `none`.
  /// - Parameter known: the names that a former begatd has left; nil for none.
  /// - Parameter program: begatd's own.
  /// - Parameter standardError: the descriptor that the resolver's process gets as standard error.
  /// - Parameter limits: the resource limits that it gets in the place of begatd's own.
  init(
    as user: ResolverUser, knowing known: SharedFile? = nil, program: HeldProgram, standardError: CInt,
    limits: [Program.Limit]
  ) throws(SystemCallError) {
    self.user = user
    self.program = program
    self.standardError = standardError
    self.limits = limits
    if let known, try MemoryFile.size(of: known.descriptor) == NameCache.size {
      cacheObject = try known.descriptor.duplicate()
    } else {
      cacheObject = try MemoryFile.createSealable(name: "begat-names", size: NameCache.size)
      try MemoryFile.keepSize(of: cacheObject)
    }
    readableCache = try MemoryFile.reopenForReading(cacheObject)
    cache = try NameCache(cacheObject, writable: false)
  }

  /// Changes the user for its next start.  Where the new configuration has none for it, it keeps its own, which no service
  /// gets: without a user it would not start.
  ///
  /// - Returns: whether it has the user from now on.
  func use(_ user: ResolverUser) -> Bool {
    guard user != .none else { return false }
    self.user = user
    return true
  }

  var channelNumber: CInt? {
    switch channel {
    case .some(let channel): channel.number
    case nil: nil
    }
  }

  /// The host's name, if it is known already.
  func name(of address: SocketAddress) -> String? { NameCache.Key(address).flatMap { cache.name(of: $0) } }

  /// - Parameter requests: sockets at which connection processes of living listeners ask.
  func start(serving requests: [SharedFile]) throws(SystemCallError) {
    restartTime = nil
    var program = program.program(
      ["--resolve-names"] + NameResolverProgram.arguments(for: user), title: "begatd: names")
    program.limits = limits
    // Meant for begatd, whose name it has.
    program.ignoredSignals = [.hangUp, .user1]
    let pair = try SocketPair(kind: .sequencedPacket)
    let descriptors = [
      StandardStreams.nullNumber, StandardStreams.nullNumber, standardError, cacheObject.number,
      pair.second.number,
    ]
    process = try DaemonPrivileges.lend(.ofStarts) { () throws(SystemCallError) in
      try program.start(descriptors: descriptors)
    }
    let own = pair.first
    channel = consume own
    inquiry = Inquiry()
    outbox.removeAll()
    for socket in requests { serve(socket) }
  }

  /// Passes it a socket at which the connection processes of a listener ask.
  ///
  /// Each listener has one of its own: a service that is taken over can shut down or fill no other's.
  func serve(_ requests: SharedFile) {
    switch channel {
    // One that can never be told has ended: the next one gets the sockets of all listeners.
    case .some(let channel): try? outbox.send(.nameRequests, passing: requests, on: channel)
    case nil: break
    }
  }

  /// Whether something waits for room in the channel.
  var hasWaiting: Bool { !outbox.isEmpty }

  /// Sends what there is room for.
  func sendWaiting() {
    switch channel {
    case .some(let channel): outbox.flush(on: channel)
    case nil: break
    }
  }

  /// Asks whether it still turns.
  func ask() {
    switch channel {
    case .some(let channel): inquiry.ask(on: channel)
    case nil: break
    }
  }

  /// What one reading of its answers found.
  struct Answers {
    var isAny = false
    /// The resolver has closed its channel, so that nothing more will come.  Its death comes as a signal.
    var isAtEnd = false
  }

  /// How many messages are read before begatd looks at anything else: a resolver gone wrong may send without end.
  static let mostMessages = 64

  /// Reads its answers.
  func readAnswers() -> Answers {
    switch channel {
    case nil: Answers()
    case .some(let channel): NameResolver.readAnswers(from: channel, to: &inquiry)
    }
  }

  static func readAnswers(from channel: borrowing Descriptor, to inquiry: inout Inquiry) -> Answers {
    var answers = Answers()
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { room in
      for _ in 0..<mostMessages {
        guard let count = try? channel.receive(into: room, waiting: false) else { return }
        guard count > 0 else {
          answers.isAtEnd = true
          return
        }
        guard
          case .alive(let number) = ListenerChannel.listenerMessage(UnsafeRawBufferPointer(rebasing: room[..<count]))
        else { continue }
        inquiry.answer(number)
        answers.isAny = true
      }
    }
    return answers
  }

  /// Ends it immediately; its death comes as a signal.
  ///
  /// - Returns: why it cannot be killed; nil if it was.
  @discardableResult
  func kill() -> SystemCallError? {
    guard let process else { return nil }
    do throws(SystemCallError) { try Signal.kill.send(to: process) } catch { return error }
    return nil
  }

  /// It has been reaped.
  func forget() {
    process = nil
    channel = nil
    outbox.removeAll()
  }

  /// Ends it: nothing of it outlives begatd, which waits for it no longer than a second.
  func stop() {
    guard let process else { return }
    // It ends with its channel, also where it cannot be killed.
    channel = nil
    kill()
    let deadline = Deadline(after: .seconds(1))
    _ = try? Children.waitForExit(of: process, until: deadline)
    _ = Children.reap(process)
    forget()
  }
}
