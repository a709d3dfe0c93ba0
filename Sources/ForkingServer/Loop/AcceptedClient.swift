import Admission
import UnixIPC

/// A client that was accepted: its connection, and what is known of it.
struct AcceptedClient: ~Copyable {
  let connection: Descriptor
  let client: Client

  /// Takes the next client that waits at the socket.
  ///
  /// - Throws: what accept(2) throws.
  init(at socket: borrowing ListeningSocket, prefix: SourcePrefix) throws(Errno) {
    var native = NativeAddress()
    let connection = try socket.accept(peer: &native)
    client = Client(of: connection, at: native, prefix: prefix)
    self.connection = connection
  }

  init(_ client: Client, connection: consuming Descriptor) {
    self.client = client
    self.connection = connection
  }
}

/// A client that was admitted and has no process yet.
struct AdmittedClient: ~Copyable {
  let connection: Descriptor
  let client: Client
  let reservation: Reservation
  /// When it was accepted; nil for a moment ago.
  var since: Deadline?

  init(_ accepted: consuming AcceptedClient, reservation: consuming Reservation) {
    client = accepted.client
    connection = accepted.connection
    self.reservation = reservation
  }

  /// Closes the connection, which the client's process has by now; the place stays reserved.
  consuming func leave() -> Reservation { reservation }

  /// Whether the client has closed both directions or reset the connection.  One that has only ended its own direction
  /// may still wait for an answer.
  var isAbandoned: Bool { !PollSet.readiness(of: connection.number, for: []).isEmpty }
}
