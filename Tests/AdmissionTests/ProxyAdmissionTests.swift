import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// Connections without a client (LOCAL, UNKNOWN).
@Suite struct ProxyAdmissionTests {
  private func limits(_ change: (inout AdmissionLimits) -> Void = { _ in }) -> AdmissionLimits {
    var limits = AdmissionLimits()
    limits.allow = []
    limits.maxConnections = 3
    limits.maxConnectionsPerSource = 1
    limits.ratePerSource = RateLimit("1/h burst 1")
    change(&limits)
    return limits
  }

  private func refusal(_ admission: borrowing Admission, now: Deadline) -> Refusal? {
    switch admission.admitProxy(now: now) {
    case .admitted: nil
    case .refused(let refusal): refusal
    }
  }

  @Test("obey neither rules nor limits of sources")
  func obeyNoLimitsOfSources() throws {
    let admission = try Admission(limits())
    let now = Deadline.now
    var held: [Int] = []
    for count in 1...2 {
      switch admission.admitProxy(now: now) {
      case .admitted(let reservation):
        held.append(reservation.placesOfSource)
        #expect(admission.active == 1)
      case .refused(let refusal): Issue.record("\(refusal) at \(count)")
      }
    }
    #expect(held == [1, 1] && admission.active == 0)
  }

  @Test("obey the limits of the service")
  func obeyLimitsOfTheService() throws {
    let now = Deadline.now
    let rated = try Admission(limits { $0.rate = RateLimit("1/h burst 1") })
    #expect(refusal(rated, now: now) == nil)
    #expect(refusal(rated, now: now) == .rate)
    #expect(rated.wait(now: now) != nil)

    let full = try Admission(limits { $0.maxConnections = 1 })
    switch full.admitProxy(now: now) {
    case .admitted(let reservation):
      #expect(refusal(full, now: now) == .maxConnections && full.wait(now: now) == .atCapacity)
      _ = consume reservation
    case .refused(let refusal): Issue.record("\(refusal)")
    }
    #expect(refusal(full, now: now) == nil)
  }
}
