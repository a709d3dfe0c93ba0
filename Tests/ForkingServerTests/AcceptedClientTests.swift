import Admission
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite struct AcceptedClientTests {
  private let client = Client(address: .ipv4(.loopback, port: 1), prefix: SourcePrefix())

  private func admitted(by admission: borrowing Admission, _ connection: consuming Descriptor) throws -> AdmittedClient
  {
    switch admission.admit(client, now: .now) {
    case .admitted(let reservation):
      return AdmittedClient(AcceptedClient(client, connection: connection), reservation: reservation)
    default: throw SystemCallError("accept", code: .wouldBlock)
    }
  }

  @Test("gives its place back when it is dropped")
  func givesItsPlaceBack() throws {
    let admission = try Admission(AdmissionLimits())
    var state = AcceptState()
    state.held = try admitted(by: admission, try Descriptor.open("/dev/null", .readOnly))
    #expect(admission.active == 1)
    state.held = nil
    #expect(admission.active == 0)
  }

  /// Notes its name when it is destroyed.
  private struct Part: ~Copyable {
    let name: String
    let log: Log

    deinit { log.names.append(name) }
  }

  private final class Log { var names: [String] = [] }

  /// Begins and ends as the listener does, which needs its `admission` until its held client is gone.
  private struct Whole: ~Copyable {
    let poller: Part
    var accepting: Part?
    let admission: Part
  }

  @Test("is destroyed before the admission that is declared after it")
  func isDestroyedInOrder() {
    let log = Log()
    func useWhole() {
      var whole = Whole(
        poller: Part(name: "poller", log: log), accepting: nil, admission: Part(name: "admission", log: log))
      whole.accepting = Part(name: "accepting", log: log)
    }
    useWhole()
    #expect(log.names == ["poller", "accepting", "admission"])
  }

  @Test("keeps its place when its process has the connection")
  func keepsItsPlace() throws {
    let admission = try Admission(AdmissionLimits())
    let pair = try SocketPair(kind: .stream)
    let theirs = pair.first
    let waiting = try admitted(by: admission, pair.second)
    let reservation = waiting.leave()
    // Closed by this process.
    #expect(admission.active == 1)
    #expect(theirs.wait(for: .readable, until: .immediate) == true)
    _ = consume reservation
    #expect(admission.active == 0)
  }

  @Test("is abandoned when its peer has closed, not when it has only ended sending")
  func isAbandoned() throws {
    let admission = try Admission(AdmissionLimits())
    let pair = try SocketPair(kind: .stream)
    let theirs = pair.second
    let waiting = try admitted(by: admission, pair.first)
    #expect(waiting.connection.isAbandoned == false)
    try theirs.shutDownSending()
    #expect(waiting.connection.isAbandoned == false)
    _ = consume theirs
    #expect(waiting.connection.isAbandoned == true)
  }
}
