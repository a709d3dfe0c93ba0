import Configuration
import Settings
@_spi(Begat) import UnixCore

/// Which socket each address of a configuration gets: one that is open already, or a new one.
///
/// An open socket serves for an address if it has the same kind and address, whichever service had it before.  Among
/// several sockets at one address, that of the service's interface is preferred (only a privileged process can change
/// it), then one that the service had.  If the configuration leaves the port to the kernel, the service keeps the socket
/// that it had for the same text.
struct SocketAssignment {
  /// A socket that is open: passed by the service manager, or held by a service.
  struct Open: Hashable {
    /// As bound.
    var address: SocketAddress
    var isDatagram: Bool
    /// The interface through which all of its traffic goes; nil for any.
    var device: String?
    /// As it was configured.
    var wanted: ListenAddress
    /// The name under which the service manager passed it.
    var passedName: String?
    /// The service that has it; nil for a socket that was passed just now.
    var service: String?
  }

  /// Where a socket comes from.
  enum Source: Hashable {
    /// The open socket of this index.
    case open(Int)
    /// It is to be bound.
    case new(SocketAddress, isDatagram: Bool, isOptional: Bool)
    /// The service manager has passed none of this name.
    case missing(String, isDatagram: Bool)
  }

  /// The sources of each service's sockets, in the order of its addresses.
  private(set) var sources: [[Source]] = []
  /// The open sockets that no service wants.
  private(set) var rest: [Int] = []

  /// - Parameter drained: services that go on without a socket, except that passed ones stay theirs.
  init(_ services: [ServiceConfiguration], open: [Open], drained: Set<String> = []) {
    var pool = Pool(open)
    for service in services {
      guard !drained.contains(service.name) else {
        sources.append([])
        continue
      }
      let streams = service.streams.flatMap { pool.take($0, isDatagram: false, for: service) }
      let datagrams = service.datagrams.flatMap { pool.take($0, isDatagram: true, for: service) }
      sources.append(streams + datagrams)
    }
    for (index, service) in services.enumerated() where drained.contains(service.name) {
      sources[index] = pool.rest.filter { open[$0].service == service.name }.map { .open(pool.take($0)) }
    }
    rest = pool.rest
  }

  private struct Key: Hashable {
    let address: ListenAddress
    let isDatagram: Bool
    /// Where the same words stand for different sockets.
    let service: String?
  }

  /// The open sockets that are not taken yet.
  private struct Pool {
    private let open: [Open]
    private var isTaken: [Bool]
    private var indexes: [Key: [Int]] = [:]

    init(_ open: [Open]) {
      self.open = open
      isTaken = Array(repeating: false, count: open.count)
      for (index, socket) in open.enumerated() {
        for key in Pool.keys(of: socket) { indexes[key, default: []].append(index) }
      }
    }

    private static func keys(of socket: Open) -> [Key] {
      let bound = Key(
        address: .address(socket.address, isOptional: false), isDatagram: socket.isDatagram, service: nil)
      if let name = socket.passedName {
        return [bound, Key(address: .passed(name: name), isDatagram: socket.isDatagram, service: nil)]
      }
      guard case .address(let wanted, _) = socket.wanted, wanted.port == 0 else { return [bound] }
      let chosen = Key(
        address: .address(wanted, isOptional: false), isDatagram: socket.isDatagram, service: socket.service)
      return [bound, chosen]
    }

    var rest: [Int] { isTaken.indices.filter { !isTaken[$0] } }

    mutating func take(_ index: Int) -> Int {
      isTaken[index] = true
      return index
    }

    mutating func take(_ address: ListenAddress, isDatagram: Bool, for service: ServiceConfiguration) -> [Source] {
      switch address {
      case .passed(let name):
        let found = takeAll(Key(address: address, isDatagram: isDatagram, service: nil))
        return found.isEmpty ? [.missing(name, isDatagram: isDatagram)] : found.map { .open($0) }
      case .address(let wanted, let isOptional):
        let plain = ListenAddress.address(wanted, isOptional: false)
        let key = Key(address: plain, isDatagram: isDatagram, service: wanted.port == 0 ? service.name : nil)
        if let index = takeBest(key, for: service) { return [.open(index)] }
        return [.new(wanted, isDatagram: isDatagram, isOptional: isOptional)]
      }
    }

    private mutating func takeBest(_ key: Key, for service: ServiceConfiguration) -> Int? {
      let device = service.settings.bindToDevice
      let ranked = (indexes[key] ?? []).filter { !isTaken[$0] }.map { (open[$0].rank(service.name, device), -$0) }
      return ranked.max(by: <).map { take(-$0.1) }
    }

    /// One unit may have several addresses, all of one name.
    private mutating func takeAll(_ key: Key) -> [Int] {
      let found = (indexes[key] ?? []).filter { !isTaken[$0] }
      for index in found { isTaken[index] = true }
      return found
    }
  }
}

extension SocketAssignment.Open {
  /// How well it serves a service that wants its address.
  fileprivate func rank(_ service: String, _ device: String?) -> Int {
    (self.device == device ? 2 : 0) + (self.service == service ? 1 : 0)
  }
}
