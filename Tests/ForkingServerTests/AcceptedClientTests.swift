import Admission
import Testing
import UnixIPC

@testable import ForkingServer

@Suite struct AcceptedClientTests {
  private let client = Client(address: .ipv4(.loopback, port: 1), prefix: SourcePrefix())

  private func admitted(by admission: borrowing Admission, _ connection: consuming Descriptor) throws -> AdmittedClient
  {
    switch admission.admit(client, now: .now) {
    case .admitted(let reservation):
      return AdmittedClient(AcceptedClient(client, connection: connection), reservation: reservation)
    default: throw Errno.wouldBlock
    }
  }

  @Test("gives its place back when it is dropped")
  func givesItsPlaceBack() throws {
    let admission = try Admission(AdmissionLimits())
    var state = AcceptState()
    state.held = try admitted(by: admission, try Descriptor.open("/dev/null", 0))
    #expect(admission.active == 1)
    state.held = nil
    #expect(admission.active == 0)
  }

  @Test("keeps its place when its process has the connection")
  func keepsItsPlace() throws {
    let admission = try Admission(AdmissionLimits())
    let pair = try Descriptor.socketPair(kind: streamKind)
    let theirs = pair.reading
    let waiting = try admitted(by: admission, pair.writing)
    let reservation = waiting.leave()
    // Closed by this process.
    #expect(admission.active == 1)
    #expect(theirs.waitUntilReadable(milliseconds: 0) == true)
    _ = consume reservation
    #expect(admission.active == 0)
  }

  @Test("is abandoned when its peer has closed, not when it has only ended sending")
  func isAbandoned() throws {
    let admission = try Admission(AdmissionLimits())
    let pair = try Descriptor.socketPair(kind: streamKind)
    let theirs = pair.writing
    let waiting = try admitted(by: admission, pair.reading)
    #expect(waiting.isAbandoned == false)
    try theirs.shutDownSending()
    #expect(waiting.isAbandoned == false)
    _ = consume theirs
    #expect(waiting.isAbandoned == true)
  }
}
