import Glibc
@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// `begat time --broadcast`: the clocks of all machines of a network, asked by one datagram.
///
/// Source: RFC 868, SO_BROADCAST in socket(7).
extension TimeClient {
  /// Prints a row for each machine that answers within the time.
  ///
  /// - Returns: whether any has.
  public func runBroadcast() -> Bool {
    CommandRun(command: "begat time").attempt(failure: false) {
      let table = TimeTable(hosts: [])
      var terminal = SurveyTerminal()
      try terminal.show([table.head, table.localRow(SystemClock.wall() / 1_000_000_000)])
      var isAnswered = false
      for host in settings.hosts { if try ask(host, table, &terminal) { isAnswered = true } }
      return isAnswered
    }
  }

  private func ask(_ host: SurveySettings.Host, _ table: TimeTable, _ terminal: inout SurveyTerminal) throws -> Bool {
    guard let address = try host.target.addresses(family: .ipv4).first else { return false }
    let descriptor = try Descriptor.socket(family: .ipv4, kind: .datagram)
    try descriptor.setOption(SOL_SOCKET, SO_BROADCAST, 1)
    let socket = try DatagramSocket(adopting: descriptor)
    let start = SystemClock.monotonic()
    try socket.sendQuestion([], to: address)
    let deadline = Deadline(after: settings.timeout)
    var seen: Set<SocketAddress> = []
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
    defer { room.deallocate() }
    while socket.descriptor.wait(for: .readable, until: deadline) {
      var sender = DatagramSocket.Sender()
      // A datagram whose checksum is wrong wakes the reader and is not there.
      guard let count = try? socket.receive(into: room, from: &sender), let peer = sender.address,
        seen.insert(peer).inserted
      else { continue }
      let answer = SurveyAnswer(
        bytes: UntrustedBytes(UnsafeRawBufferPointer(rebasing: room[..<count])), ending: .complete, address: peer,
        roundTrip: .nanoseconds(SystemClock.monotonic() - start), received: SystemClock.wall())
      switch TimeAnswer.read(.answered(answer), within: settings.timeout) {
      case .time(let time): try terminal.show([table.row("\(peer)", time)])
      case .failure(let reason): try terminal.show([terminal.red(table.row("\(peer)", failure: reason))])
      }
    }
    if seen.isEmpty {
      let reason = "no answer within \(Survey.text(of: settings.timeout))"
      try terminal.show([terminal.red(table.row(host.shown, failure: reason))])
    }
    return !seen.isEmpty
  }
}
