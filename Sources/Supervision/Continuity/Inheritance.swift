import Admission
import Configuration
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// A socket that a former begatd had bound.
struct InheritedSocket {
  let socket: HeldSocket
  /// The service that had it; nil where that is not known.
  let service: String?
}

/// The state and descriptors left by a former begatd; empty at a first start.
struct Inheritance {
  private(set) var state: SavedState
  /// Sockets that it had bound and that can be served.
  private(set) var sockets: [InheritedSocket] = []
  /// Things that cannot be used; one line each.
  private(set) var warnings: [String] = []
  private let kept: KeptDescriptors
  /// The number of the last scoreboard in the state page.
  private(set) var lastBoard: UInt32 = 0

  init(_ kept: KeptDescriptors) {
    self.kept = kept
    let (state, problems) = kept.takeState()
    self.state = state ?? SavedState()
    warnings = problems.map { "\($0); what a former begatd has left is taken over without it" }
    let saved = Dictionary(self.state.sockets.map { ($0.name, $0) }) { first, _ in first }
    for name in kept.names {
      guard let isDatagram = KeptName.isDatagramSocket(name), let descriptor = kept.take(name) else { continue }
      guard let socket = Inheritance.socket(descriptor, isDatagram: isDatagram, saved[name]) else {
        warnings.append("\(name): no socket that can be served; it is bound anew where a service wants its address")
        continue
      }
      sockets.append(InheritedSocket(socket: socket, service: saved[name]?.service))
    }
  }

  /// - Returns: nil for a descriptor that is no such socket, or takes no clients any more.
  private static func socket(
    _ descriptor: consuming Descriptor, isDatagram: Bool, _ saved: SavedState.Socket?
  ) -> HeldSocket? {
    guard descriptor.socketKind == (isDatagram ? .datagram : .stream),
      let address = (try? descriptor.localAddress())?.address
    else { return nil }
    var file: UnixSocketFile?
    if case .unixPath(let path) = address {
      // Without its number the file cannot be told from another server's.
      guard let saved = saved?.file else { return nil }
      let found = UnixSocketFile(path: path, device: dev_t(saved.device), inode: ino_t(saved.inode))
      guard found.isAt(path) else { return nil }
      file = found
    }
    let wanted = saved?.wanted.map { ListenAddress.address($0, isOptional: false) }
    guard !isDatagram else {
      // A begatd killed during a drain leaves its filter attached.
      _ = try? descriptor.takeNewClients()
      return HeldSocket(descriptor, isDatagram: true, address: address, wanted: wanted, file: file)
    }
    guard let listening = try? ListeningSocket(adopting: descriptor), listening.isServing else { return nil }
    return HeldSocket(listening.release(), isDatagram: false, address: address, wanted: wanted, file: file)
  }

  /// Hands the sockets over.
  mutating func takeSockets() -> [InheritedSocket] {
    defer { sockets = [] }
    return sockets
  }

  /// Closes all that was not taken.
  func close() { kept.close() }

  // MARK: Services

  /// The numbers of services in the table of bans: none is used twice, and none means all services.
  var serviceNumbers: [String: UInt32] {
    var numbers: [String: UInt32] = [:]
    var used: Set<UInt32> = [BanTable.allServices]
    for known in state.serviceNumbers where numbers[known.service] == nil && used.insert(known.number).inserted {
      numbers[known.service] = known.number
    }
    return numbers
  }

  /// The names of hosts that are known; nil where there are none that this version can read.
  func nameCache() -> SharedFile? { kept.takeShared(.nameCache(version: NameResolver.cacheVersion)) }

  /// The services that accept no clients until they are resumed.
  var drainedServices: Set<String> {
    // A service comes before those of the same name that were given up earlier, which accept no clients either.
    let present = Dictionary(state.services.map { ($0.name, $0.isDrained) }) { first, _ in first }
    return Set(present.filter(\.value).keys)
  }

  /// The bans that were in force.
  func bans() -> [Ban] { kept.takeShared(.bans(state.bans)).map { BanTable.bans(in: $0.descriptor) } ?? [] }

  /// The remains of a service that was offered before.
  struct Service: ~Copyable {
    let saved: SavedState.Service
    /// Live listeners, oldest first.
    let generations: [Generation]
    /// Nil if it is unusable.
    let book: Descriptor?
  }

  /// The names of the services that have listeners or counts left.
  var serviceNames: [String] { state.services.map(\.name) }

  /// Keeps the counts of a listener that ended while there was no begatd.
  private func countEnded(_ generation: SavedState.Generation, of service: inout SavedState.Service) {
    guard let object = kept.takeShared(.board(service: service.name, generation: generation.number)),
      let board = try? ScoreboardReader(object.descriptor, slotCount: generation.slotCount), board.isReadable
    else { return }
    var counters = board.counters
    _ = counters.settle(recordsReceived: counters.records, open: board.openDurations(now: SystemClock.monotonic()))
    service.totals.add(counters)
  }

  /// Takes what is left of a service; nil if there is nothing.
  mutating func takeService(_ name: String) -> Service? {
    guard let index = state.services.firstIndex(where: { $0.name == name }) else { return nil }
    var saved = state.services.remove(at: index)
    var generations: [Generation] = []
    var columns: Set<Int> = []
    var hasStranger = false
    for generation in saved.generations {
      lastBoard += 1
      let isThere =
        kept.has(.channel(service: name, generation: generation.number))
        || kept.has(.firstChannel(service: name, generation: generation.number))
      guard isThere else {
        // A scoreboard is stored with its channel and outlasts it: a listener without either may live, and was not stored
        // for lack of room.
        if !kept.has(.board(service: name, generation: generation.number)) { hasStranger = true }
        countEnded(generation, of: &saved)
        continue
      }
      if columns.insert(generation.column).inserted,
        let adopted = Generation.adopt(
          generation, of: saved, from: kept, boardNumber: lastBoard,
          nameRequests: kept.takeShared(.nameRequests(service: name, generation: generation.number)))
      {
        generations.append(adopted)
      } else {
        hasStranger = true
      }
    }
    // A listener that was not taken over may go on counting in a column that another one gets.
    guard !hasStranger, let book = kept.take(.book(service: name)), AdmissionBook.isBook(book) else {
      return Service(saved: saved, generations: generations, book: nil)
    }
    return Service(saved: saved, generations: generations, book: book)
  }
}
