import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// Admission together with the clients that it has admitted, who keep their places until they leave.
final class Visits {
  /// A client that was admitted.
  struct Ticket: Hashable {
    let number: Int
    let source: UInt32
    let placesOfSource: Int
  }

  enum Verdict: Hashable {
    case admitted(Ticket)
    case refused(Refusal)
    case wait(Admission.Wait)

    var ticket: Ticket? { if case .admitted(let ticket) = self { ticket } else { nil } }
  }

  private final class Place {
    let reservation: Reservation
    init(_ reservation: consuming Reservation) { self.reservation = reservation }
  }

  let admission: Admission
  private var places: [Int: Place] = [:]
  private var lastNumber = 0

  init(_ limits: AdmissionLimits, sourceCapacity: Int = Admission.sourceCapacity) throws {
    admission = try Admission(limits, sourceCapacity: sourceCapacity)
  }

  /// A generation of a listener that takes a book over.
  init(
    _ limits: AdmissionLimits, book: borrowing Descriptor, part: AdmissionBook.Part = .connections, column: Int,
    clearing columns: AdmissionColumns = [], now: Int64
  ) throws {
    admission = try Admission(limits, book: book, part: part, column: column)
    admission.begin(clearing: columns, now: Deadline(instant: now))
  }

  // Places are given back to the admission that they are from.
  deinit { places = [:] }

  var active: Int { admission.active }
  var sources: Int { admission.sources }

  /// A client that was accepted already.
  func admit(_ address: SocketAddress?, user: UInt32?, now: Int64) -> Verdict {
    verdict(admission.admit(client(address, user: user), now: Deadline(instant: now)))
  }

  /// The next client that waits; nil where there is none.
  func admitNext(_ client: Client?, now: Int64) -> Verdict? {
    do throws(SystemCallError) {
      let answer = try admission.admit(now: Deadline(instant: now)) { () throws(SystemCallError) in
        guard let client else { throw SystemCallError("accept", code: .wouldBlock) }
        return client
      }
      switch consume answer {
      case .accepted(let decision): return verdict(decision)
      case .wait(let wait): return .wait(wait)
      }
    } catch { return nil }
  }

  func client(_ address: SocketAddress?, user: UInt32? = nil) -> Client {
    Client(
      address: address, credentials: user.map { PeerCredentials(process: 1, user: $0, group: 1) },
      prefix: admission.limits.sourcePrefix)
  }

  func giveBack(_ ticket: Ticket) { places[ticket.number] = nil }

  private func verdict(_ decision: consuming Admission.Decision) -> Verdict {
    switch consume decision {
    case .admitted(let reservation):
      lastNumber += 1
      let ticket = Ticket(
        number: lastNumber, source: reservation.source, placesOfSource: reservation.placesOfSource)
      places[lastNumber] = Place(reservation)
      return .admitted(ticket)
    case .refused(let refusal): return .refused(refusal)
    }
  }
}
