import ControlProtocol

// A field that is added, moved or taken away here makes another BEGAT_STATE_VERSION.

extension DaemonState {
  /// The state as bytes.
  public var encoded: [UInt8] {
    var copy = self
    var coder = StateCoder()
    copy.code(with: &coder)
    return coder.bytes
  }

  /// Nil for bytes that `encoded` has not made.
  public init?(decoding bytes: [UInt8]) {
    self.init()
    var coder = StateCoder(reading: bytes)
    code(with: &coder)
    guard !coder.isBroken else { return nil }
  }

  private mutating func code(with coder: inout StateCoder) {
    coder.code(&version)
    coder.code(&process)
    coder.code(&state)
    coder.code(&startTime)
    coder.code(&configuration)
    coder.code(&reloadTime)
    coder.code(&reloads.succeeded)
    coder.code(&reloads.refused)
    coder.code(&reloads.lastSucceeded, blank: false) { $1.code(&$0) }
    coder.code(&lastReloadTime)
    coder.code(&lostLogMessages)
    coder.code(&sandboxGaps, blank: "") { $1.code(&$0) }
    coder.code(&services, blank: ServiceState(name: "", state: .starting)) { $0.code(with: &$1) }
    coder.code(&denials, blank: DenialState(network: "", service: nil, endTime: nil)) { $0.code(with: &$1) }
    coder.code(&omittedDenials)
  }
}

extension ServiceState {
  fileprivate mutating func code(with coder: inout StateCoder) {
    coder.code(&name)
    coder.code(&state)
    coder.code(&endTime)
    coder.code(&isLeaving)
    coder.code(&addresses, blank: ServiceStatus.Address("", isDatagram: false)) { address, coder in
      coder.code(&address.text)
      coder.code(&address.isDatagram)
    }
    coder.code(&limit, blank: 0) { $1.code(&$0) }
    coder.code(&answersDatagrams)
    coder.code(&startTime)
    totals.code(with: &coder)
    coder.code(
      &listeners, blank: ListenerState(process: 0, generation: 0, role: .starting, startTime: 0, board: 0)
    ) { $0.code(with: &$1) }
    coder.code(&unixAddress, blank: "") { $1.code(&$0) }
    coder.code(&isConfined)
  }
}

extension ListenerState {
  fileprivate mutating func code(with coder: inout StateCoder) {
    coder.code(&process)
    coder.code(&generation)
    coder.code(&role)
    coder.code(&startTime)
    coder.code(&board)
  }
}

extension DenialState {
  fileprivate mutating func code(with coder: inout StateCoder) {
    coder.code(&network)
    coder.code(&service, blank: "") { $1.code(&$0) }
    coder.code(&endTime)
  }
}

extension ServiceCounters {
  fileprivate mutating func code(with coder: inout StateCoder) {
    coder.code(&accepted)
    coder.code(&ended)
    coder.code(&records)
    coder.code(&recordsDropped)
    coder.code(&datagramsAnswered)
    coder.code(&datagramsIgnored)
    coder.code(&endedByReload)
    coder.code(&durationSum)
    coder.code(&bytesReceived)
    coder.code(&bytesSent)
    coder.code(&refused, blank: 0) { $1.code(&$0) }
    coder.code(&datagramsRefused, blank: 0) { $1.code(&$0) }
    coder.code(&outcomes, blank: 0) { $1.code(&$0) }
    coder.code(&durations, blank: 0) { $1.code(&$0) }
    acceptedHistory.code(with: &coder)
    refusedHistory.code(with: &coder)
    acceptedSeconds.code(with: &coder)
  }
}

extension EventHistory {
  /// Its length is not written: it is always the same.
  fileprivate mutating func code(with coder: inout StateCoder) {
    coder.code(&newest)
    for place in counts.indices { coder.code(&counts[place]) }
  }
}
