import Glibc

/// The asking of many hosts, as far as it has come.
struct InquiryRound: ~Copyable {
  private let inquiry: DatagramInquiry
  private let addresses: [SocketAddress]
  private let poller: Poller
  private let room: UnsafeMutableRawBufferPointer
  private var sockets: DescriptorSlots
  private var outcomes: [DatagramInquiry.Outcome?]
  /// When each was asked, in nanoseconds.
  private var times: [Int64]
  /// How many have had their turn.
  private var asked = 0
  /// How many of those are waited for.
  private var open = 0
  /// Why there is no descriptor for the next one now.
  private var shortage: CallFailure?

  init(_ inquiry: DatagramInquiry, of addresses: [SocketAddress]) throws(CallFailure) {
    self.inquiry = inquiry
    self.addresses = addresses
    poller = try Poller()
    // Never without room: an empty buffer has no address.
    room = .allocate(byteCount: max(1, min(inquiry.longestAnswer, 65535)), alignment: 16)
    sockets = DescriptorSlots(count: addresses.count)
    outcomes = Array(repeating: nil, count: addresses.count)
    times = Array(repeating: 0, count: addresses.count)
  }

  deinit { room.deallocate() }

  /// What came of each; of those that are still waited for, nothing.
  var finalOutcomes: [DatagramInquiry.Outcome] {
    addresses.indices.map { index in
      if let outcome = outcomes[index] { return outcome }
      if index < asked { return .silent }
      return .failed(
        CallFailure(
          shortage?.call ?? "connect", on: addresses[index].description, errno: shortage?.errno ?? .timedOut))
    }
  }

  mutating func run(until deadline: Deadline) throws(CallFailure) {
    let deadline = min(deadline, .ofThread)
    while asked < addresses.count || open > 0 {
      if deadline.hasPassed { break }
      // A few, then those who have answered already: else their answers would wait until all are asked.
      for _ in 0..<16 where asked < addresses.count && shortage == nil { try askNext() }
      let mayAsk = asked < addresses.count && shortage == nil
      if open > 0 { try collect(milliseconds: mayAsk ? 0 : deadline.milliseconds) }
    }
    // What had come by the deadline and was not read yet.
    for index in 0..<asked where outcomes[index] == nil { try receive(index) }
  }

  private mutating func askNext() throws(CallFailure) {
    let index = asked
    let address = addresses[index]
    do throws(CallFailure) {
      let socket = try Self.socket(for: address)
      dropWhatCame(to: socket)
      times[index] = Clock.monotonic()
      try send(on: socket, to: address)
      try poller.add(socket.number, .readable, token: UInt64(index))
      sockets.put(socket, at: index)
      open += 1
    } catch {
      if error.errno == .tooManyOpenFiles || error.errno == Errno(rawValue: ENFILE), open > 0 {
        shortage = error
        return
      }
      outcomes[index] = Self.outcome(of: error)
    }
    asked += 1
  }

  /// A socket that only the address can answer.
  private static func socket(for address: SocketAddress) throws(CallFailure) -> Descriptor {
    let family = try NativeAddress(address).family
    let socket = try Descriptor.socket(family: family, kind: datagramKind | nonBlockingFlag)
    // The network's word that a host cannot be reached is an outcome too.
    switch address {
    case .ipv4: try socket.setOption(CInt(IPPROTO_IP), receiveErrors, 1)
    case .ipv6: try socket.setOption(CInt(IPPROTO_IPV6), receiveErrorsIPv6, 1)
    case .unixPath, .unixAbstract, .unixUnnamed:
      // Without a name of its own a Unix socket cannot be answered; the kernel gives it one.
      let name = try NativeAddress(.unixUnnamed)
      _ = try check("bind") { name.withPointer { Glibc.bind(socket.number, $0, $1) } }
    }
    try ClientSocket.connect(socket, to: address)
    return socket
  }

  /// Between getting its port and getting its peer, a socket hears everybody; and nothing answers a question that was
  /// not asked yet.
  private func dropWhatCame(to socket: borrowing Descriptor) {
    // More does not fit into its queue.
    for _ in 0..<1024 where (try? socket.receive(into: room, waiting: false)) == nil { return }
  }

  private func send(on socket: borrowing Descriptor, to address: SocketAddress) throws(CallFailure) {
    let flags = noSignalFlag | doNotWaitFlag
    let number = socket.number
    _ = try check("send", on: address.description) {
      inquiry.question.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, flags) }
    }
  }

  /// Waits once, and takes what has come.
  private mutating func collect(milliseconds: CInt) throws(CallFailure) {
    var ready: [Int] = []
    poller.wait(milliseconds: milliseconds) { ready.append(Int($0.token)) }
    for index in ready { try receive(index) }
  }

  private mutating func receive(_ index: Int) throws(CallFailure) {
    let number = sockets.number(at: index)
    guard number >= 0 else { return }
    let found: DatagramInquiry.Outcome
    do throws(Errno) {
      // The whole length is told, even of what does not fit.
      let flags = doNotWaitFlag | CInt(MSG_TRUNC)
      let length = try attempt { recv(number, room.baseAddress, room.count, flags) }
      let kept = max(0, min(length, inquiry.longestAnswer, room.count))
      found = .answered(
        DatagramInquiry.Answer(
          bytes: Array(room[..<kept]), isTruncated: length > kept,
          roundTrip: .nanoseconds(Clock.monotonic() - times[index])))
    } catch {
      // A datagram whose checksum is wrong wakes the reader and is not there.
      if error == .wouldBlock { return }
      found = Self.outcome(of: CallFailure("recv", on: addresses[index].description, errno: error))
    }
    outcomes[index] = found
    try poller.remove(number)
    sockets.close(at: index)
    open -= 1
    shortage = nil
  }

  private static func outcome(of failure: CallFailure) -> DatagramInquiry.Outcome {
    failure.errno == .connectionRefused ? .refused : .failed(failure)
  }
}
