import Admission
import NetworkServices
@_spi(Begat) import UnixCore

/// A client that was accepted: its connection, and what is known of it.
struct AcceptedClient: ~Copyable {
  let connection: Descriptor
  private(set) var client: Client
  /// The ends that a proxy has named; nil if the client connected directly.
  private(set) var proxied: ProxiedEnds?
  /// Whether it is a connection without a client (LOCAL, UNKNOWN), such as a balancer's check.
  var isOfProxy = false
  /// The number of the listening socket.
  let socket: CInt

  /// Takes the next client that waits at the socket.
  ///
  /// - Throws: what accept(2) throws.
  init(at socket: borrowing ListeningSocket, prefix: SourcePrefix) throws(SystemCallError) {
    var native = RawSocketAddress()
    let connection = try socket.accept(peer: &native)
    client = Client(of: connection, at: native, prefix: prefix)
    self.connection = connection
    self.socket = socket.descriptor.number
  }

  /// Notes that a proxy has named the client.
  mutating func setClient(_ client: Client, _ ends: ProxiedEnds) {
    self.client = client
    proxied = ends
  }

  init(_ client: Client, connection: consuming Descriptor, socket: CInt = -1) {
    self.client = client
    self.connection = connection
    self.socket = socket
  }
}

/// A client that was admitted and has no process yet.
struct AdmittedClient: ~Copyable {
  let connection: Descriptor
  let client: Client
  let proxied: ProxiedEnds?
  let isOfProxy: Bool
  let reservation: Reservation
  let socket: CInt
  /// When it was accepted; nil for a moment ago.
  var since: Deadline?

  init(_ accepted: consuming AcceptedClient, reservation: consuming Reservation) {
    client = accepted.client
    proxied = accepted.proxied
    isOfProxy = accepted.isOfProxy
    socket = accepted.socket
    connection = accepted.connection
    self.reservation = reservation
  }

  /// Closes the connection, which the client's process has by now; the place stays reserved.
  consuming func leave() -> Reservation { reservation }
}

extension Descriptor {
  /// Whether a client has closed both directions or reset the connection; another failure counts too, unlike with
  /// `hasHungUp`.  A client that has only ended its own direction may still wait for an answer.
  var isAbandoned: Bool { !PollSet.readiness(of: number, for: []).isEmpty }
}
