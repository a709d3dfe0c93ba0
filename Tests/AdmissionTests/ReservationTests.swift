import Testing
import UnixIPC

@testable import Admission

@Suite struct ReservationTests {
  private func reserve(_ admission: borrowing Admission, _ client: Client) throws -> Reservation {
    switch admission.admit(client, now: Deadline(instant: second)) {
    case .admitted(let reservation): return reservation
    default: throw Errno.wouldBlock
    }
  }

  @Test("gives its place back when it is dropped, and not before")
  func givesItsPlaceBack() throws {
    let admission = try Admission(AdmissionLimits())
    let client = Client(address: try peer("192.0.2.7"), prefix: SourcePrefix())
    func visit() throws {
      let first = try reserve(admission, client)
      var second: Reservation? = try reserve(admission, client)
      #expect(admission.active == 2 && first.placesOfSource == 1)
      second = nil
      #expect(admission.active == 1)
      second = try reserve(admission, client)
      _ = consume second
    }
    try visit()
    #expect(admission.active == 0)
    #expect(try reserve(admission, client).placesOfSource == 1)
  }

  @Test("stays reserved as it is handed over")
  func isHandedOver() throws {
    let admission = try Admission(AdmissionLimits())
    let client = Client(address: try peer("192.0.2.7"), prefix: SourcePrefix())
    let place = UnsafeMutablePointer<Reservation>.allocate(capacity: 2)
    defer { place.deallocate() }
    place.initialize(to: try reserve(admission, client))
    (place + 1).moveInitialize(from: place, count: 1)
    #expect(admission.active == 1)
    func drop(_ reservation: consuming Reservation) { #expect(admission.active == 1) }
    drop((place + 1).move())
    #expect(admission.active == 0)
  }
}
