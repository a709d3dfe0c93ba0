import Glibc

/// The asking of many hosts, as far as it has come: for callers whose addresses come one after another.
///
///     var round = try InquiryRound(DatagramInquiry(question: []))
///     let index = round.add(address)
///     // Whenever round.descriptor is readable, and after adding:
///     for index in try round.advance() { … round.outcome(of: index) … }
@_spi(Begat) public struct InquiryRound: ~Copyable, @unchecked Sendable {
  private let inquiry: DatagramInquiry
  private let poller: Poller
  /// Owned by this value alone, as everything in it is: one thread has it at a time.
  private let room: UnsafeMutableRawBufferPointer
  private var addresses: [SocketAddress] = []
  private var sockets = DescriptorSlots(count: 0)
  private var outcomes: [DatagramInquiry.Outcome?] = []
  /// When each was asked, in nanoseconds.
  private var times: [Int64] = []
  /// Those whose outcome was not told yet.
  private var decided: [Int] = []
  /// How many have had their turn.
  private var asked = 0
  /// How many of those are waited for.
  private var open = 0
  /// Why there is no descriptor for the next one now.
  private var shortage: SystemCallError?

  /// Makes a round without hosts.
  public init(_ inquiry: DatagramInquiry) throws(SystemCallError) {
    self.inquiry = inquiry
    poller = try Poller()
    // Never without room: an empty buffer has no address.
    room = .allocate(byteCount: max(1, min(inquiry.maxAnswerSize, 65535)), alignment: 16)
  }

  deinit { room.deallocate() }

  /// Adds a host that `advance` is to ask.
  ///
  /// - Returns: its index among all that were added.
  public mutating func add(_ address: SocketAddress) -> Int {
    addresses.append(address)
    outcomes.append(nil)
    times.append(0)
    // By doubling, that adding stays cheap.
    if sockets.count < addresses.count { sockets.grow(to: max(16, 2 * addresses.count)) }
    return addresses.count - 1
  }

  /// Readable when an answer has come.
  public var descriptor: CInt { poller.descriptor.number }

  /// Whether hosts remain that can be asked now: then `advance` is not to wait.
  public var mayAsk: Bool { asked < addresses.count && shortage == nil }

  /// What came of asking a host; of one that is still waited for, that it is silent.
  public func outcome(of index: Int) -> DatagramInquiry.Outcome {
    if let outcome = outcomes[index] { return outcome }
    if index < asked { return .silent }
    return .failed(
      SystemCallError(
        shortage?.call ?? "connect", on: addresses[index].description, code: shortage?.code ?? .timedOut))
  }

  var finalOutcomes: [DatagramInquiry.Outcome] { addresses.indices.map { outcome(of: $0) } }

  mutating func run(until deadline: Deadline) throws(SystemCallError) {
    let deadline = min(deadline, .current)
    while asked < addresses.count || open > 0 {
      if deadline.isExpired { break }
      _ = try advance(until: deadline)
    }
    _ = try collectLate()
  }

  /// Asks hosts that were added, some of them at a time, and takes the answers that have come.
  ///
  /// - Parameter deadline: until when an answer is waited for, if there is no host left to ask; without it, not at all.
  /// - Returns: those that have their outcome since the last call.
  /// - Throws: what concerns all of them; what concerns one host is its outcome.
  public mutating func advance(until deadline: Deadline = Deadline.immediate) throws(SystemCallError) -> [Int] {
    // A few, and then the hosts that have answered: else their answers would wait until all are asked.
    for _ in 0..<16 where mayAsk { try askNext() }
    if open > 0 { try collect(milliseconds: mayAsk ? 0 : deadline.milliseconds) }
    return takeDecided()
  }

  /// Takes what had come by the deadline and was not read yet; after that, `outcome(of:)` is final.
  ///
  /// - Returns: those that have their outcome since the last call of this or `advance`.
  public mutating func collectLate() throws(SystemCallError) -> [Int] {
    for index in 0..<asked where outcomes[index] == nil { try receive(index) }
    return takeDecided()
  }

  /// Those whose turn has not come.
  public var unasked: Range<Int> { asked..<addresses.count }

  private mutating func takeDecided() -> [Int] {
    defer { decided = [] }
    return decided
  }

  private mutating func askNext() throws(SystemCallError) {
    let index = asked
    let address = addresses[index]
    do throws(SystemCallError) {
      let socket = try Self.socket(for: address)
      dropWhatCame(to: socket)
      times[index] = SystemClock.monotonic()
      try send(on: socket, to: address)
      try poller.add(socket.number, .readable, token: UInt64(index))
      sockets.put(socket, at: index)
      open += 1
    } catch {
      if error.code == .tooManyOpenFiles || error.code == .tooManyOpenFilesInSystem, open > 0 {
        shortage = error
        return
      }
      outcomes[index] = Self.outcome(of: error)
      decided.append(index)
    }
    asked += 1
  }

  /// A socket that only the address can answer.
  private static func socket(for address: SocketAddress) throws(SystemCallError) -> Descriptor {
    let socket = try ClientSocket.start(to: try RawSocketAddress(address, for: "connect"), kind: .datagram)
    // The network's word that a host cannot be reached is an outcome too.
    switch address {
    case .ipv4: try socket.setOption(CInt(IPPROTO_IP), receiveErrors, 1)
    case .ipv6: try socket.setOption(CInt(IPPROTO_IPV6), receiveErrorsIPv6, 1)
    case .unixPath, .unixAbstract, .unixUnnamed: break
    }
    return socket
  }

  /// Between getting its port and getting its peer, a socket receives from every host; and nothing answers a question that was
  /// not asked yet.
  private func dropWhatCame(to socket: borrowing Descriptor) {
    // More does not fit into its queue.
    for _ in 0..<1024 where (try? socket.receive(into: room, waiting: false)) == nil { return }
  }

  private func send(on socket: borrowing Descriptor, to address: SocketAddress) throws(SystemCallError) {
    let flags = noSignalFlag | doNotWaitFlag
    let number = socket.number
    _ = try check("send", on: address.description) {
      inquiry.question.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, flags) }
    }
  }

  /// Waits once, and takes what has come.
  private mutating func collect(milliseconds: CInt) throws(SystemCallError) {
    var ready: [Int] = []
    poller.wait(milliseconds: milliseconds) { ready.append(Int($0.token)) }
    for index in ready { try receive(index) }
  }

  private mutating func receive(_ index: Int) throws(SystemCallError) {
    let number = sockets.number(at: index)
    guard number >= 0 else { return }
    let found: DatagramInquiry.Outcome
    do throws(SystemCallError) {
      // The whole length is told, even of what does not fit.
      let flags = doNotWaitFlag | CInt(MSG_TRUNC)
      let length = try check("recv", onDescriptor: number) { recv(number, room.baseAddress, room.count, flags) }
      let kept = max(0, min(length, inquiry.maxAnswerSize, room.count))
      found = .answered(
        DatagramInquiry.Answer(
          bytes: Array(room[..<kept]), isTruncated: length > kept,
          roundTrip: .nanoseconds(SystemClock.monotonic() - times[index]), receivedAt: .nanoseconds(SystemClock.wall()))
      )
    } catch {
      // A datagram whose checksum is wrong wakes the reader and is not there.
      if error.code == .wouldBlock { return }
      found = Self.outcome(of: SystemCallError("recv", on: addresses[index].description, code: error.code))
    }
    outcomes[index] = found
    decided.append(index)
    try poller.remove(number)
    sockets.close(at: index)
    open -= 1
    shortage = nil
  }

  private static func outcome(of failure: SystemCallError) -> DatagramInquiry.Outcome {
    failure.code == .connectionRefused ? .refused : .failed(failure)
  }
}
