import ControlProtocol
@_spi(Begat) import UnixCore

/// Sends the service manager the descriptors for its store; begatd may be killed between any two messages.
extension DescriptorStore {
  func retryIfDue() {
    if let retryTime, retryTime <= SystemClock.monotonic() { deliver() }
  }

  /// Sends what is to be sent, until the manager's queue is full.
  func deliver() {
    let before = sent
    do throws(SystemCallError) {
      try removeObsolete()
      try storeMissing()
      try replaceDocument()
      try sendBarrier()
      retryTime = nil
      _ = retry.succeeded()
    } catch {
      if sent > before { _ = retry.succeeded() }
      let (delay, isNews) = retry.failed("\(error)")
      retryTime = SystemClock.monotonic() + delay
      // A full queue is no news: the manager reads when it has time.
      if isNews, error.code != .wouldBlock { logger.warning("descriptor store: \(error); it is tried again") }
    }
  }

  private func send(_ message: String, passing descriptor: CInt? = nil) throws(SystemCallError) {
    try socket.send(message, passing: descriptor.map { [$0] } ?? [])
    sent += 1
  }

  private func removeObsolete() throws(SystemCallError) {
    let obsolete = stored.filter { name, identity in
      !KeptName.isVersioned(name) && (names[name] != identity || identity == .unknown)
    }
    for name in obsolete.keys.sorted() { try remove(name) }
  }

  private func remove(_ name: String) throws(SystemCallError) {
    try send("FDSTOREREMOVE=1\nFDNAME=\(name)")
    stored[name] = nil
  }

  /// Two places are for the document and the one that takes its place.
  private static let placesOfDocument = 2

  private func storeMissing() throws(SystemCallError) {
    guard !wanted.isEmpty else { return }
    var omitted = 0
    let documents = stored.keys.count { KeptName.stateNumber($0) != nil }
    for entry in wanted where stored[entry.name] == nil {
      guard stored.count - documents < capacity - Self.placesOfDocument else {
        omitted += 1
        continue
      }
      let polled = entry.isChannel ? "" : "\nFDPOLL=0"
      try send("FDSTORE=1\nFDNAME=\(entry.name)\(polled)", passing: entry.number)
      stored[entry.name] = entry.identity
    }
    wanted = []
    noteOmitted(omitted)
  }

  private func noteOmitted(_ count: Int) {
    if count == 0 {
      hasSaidFull = false
    } else if !hasSaidFull {
      hasSaidFull = true
      logger.warning(
        """
        descriptor store: the service manager has room for \(capacity) descriptors, and \(count) more of them would \
        outlive a restart; raise FileDescriptorStoreMax=
        """)
    }
  }

  private func replaceDocument() throws(SystemCallError) {
    if let (name, file) = document {
      try send("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", passing: file.descriptor.number)
      stored[name] = FileIdentity(of: file.descriptor) ?? .unknown
      document = nil
      hasDocument = true
    }
    guard !isFrozen, hasDocument else { return }
    let present = KeptName.state(documentNumber).text
    for name in stored.keys.sorted() where KeptName.isVersioned(name) && names[name] == nil && name != present {
      try remove(name)
    }
  }

  private func sendBarrier() throws(SystemCallError) {
    guard wantsBarrier else { return }
    let pipe = try PipeEnds()
    try send("BARRIER=1", passing: pipe.writeEnd.number)
    let reading = SharedFile(pipe.readEnd)
    wantsBarrier = false
    barrier = reading
    barrierToken = try poll?.add(reading.descriptor.number, .readable) { [unowned self] _ in endBarrier() }
  }
}
