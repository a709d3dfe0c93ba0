import Glibc
@_spi(Begat) import UnixCore

/// Joins standard input and output to a socket of messages: each piece that is read is sent as one, and each that comes is
/// written.
struct MessageExchange: ~Copyable {
  private let peer: MessageSocket
  private let hasEnd: Bool
  private let readsInput: Bool
  private let patience: Duration?
  private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.longest, alignment: 16)
  private let typed = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.longestSent, alignment: 16)

  /// More than the longest message of any kind that a Unix socket takes with its usual buffer.
  static let longest = 1 << 18
  /// The longest datagram of UDP over IPv4.
  private static let longestSent = 65507

  /// - Parameter hasEnd: whether each side learns of the other's end.
  /// - Parameter patience: how long answers are waited for after the input's end, if the peer has no end; if it has one, how
  ///   long the input is waited for after that.  nil waits forever.
  init(_ peer: MessageSocket, hasEnd: Bool, readsInput: Bool, patience: Duration?) {
    self.peer = peer
    self.hasEnd = hasEnd
    self.readsInput = readsInput && peer.isAnswerable
    self.patience = patience
  }

  deinit {
    room.deallocate()
    typed.deallocate()
  }

  /// Runs until both have ended, or one has waited for the other for long enough.
  func run() throws {
    do throws(SystemCallError) { if let first = peer.first { try StandardStream.output.write(first) } } catch {
      throw Pump.Failure(side: .output, code: error.code)
    }
    var isReading = readsInput
    var isReceiving = true
    var hasSent = false
    // A message for which the peer has no room yet: its own ones are received meanwhile.
    var pending: UnsafeRawBufferPointer?
    while isReceiving || isReading || pending != nil {
      var set = PollSet()
      let input = set.add(isReading && pending == nil ? StandardStream.input.rawValue : -1, .readable)
      var interest: Poller.Interest = isReceiving ? .readable : []
      if pending != nil { interest.insert(.writable) }
      // Its hang-up would end each wait.
      let messages = set.add(interest.isEmpty ? -1 : peer.socket.number, interest)
      let isAnswerAwaited = isReading || pending != nil || hasEnd
      let limit = isReceiving && isAnswerAwaited ? nil : patience
      guard try set.wait(until: limit.map { Deadline(after: $0) } ?? .never) else { return }
      if isReceiving, !set[messages].isEmpty { isReceiving = try receive() }
      if let bytes = pending, try send(bytes) { pending = nil }
      guard pending == nil, !set[input].isEmpty else { continue }
      let bytes = try readInput()
      // Some services answer an empty datagram; an input without a byte is one.
      if !bytes.isEmpty || !hasEnd && !hasSent, try !send(bytes) { pending = bytes }
      hasSent = true
      if !bytes.isEmpty { continue }
      isReading = false
      if hasEnd { try? peer.socket.shutDownSending() }
    }
  }

  private func readInput() throws(Pump.Failure) -> UnsafeRawBufferPointer {
    let typed = typed
    do throws(SystemCallError) {
      let count = try Descriptor.withBorrowed(StandardStream.input.rawValue) { (input) throws(SystemCallError) in
        try input.read(into: typed)
      }
      return UnsafeRawBufferPointer(rebasing: typed[..<count])
    } catch { throw Pump.Failure(side: .input, code: error.code) }
  }

  /// - Returns: false if the peer has no room for it.
  private func send(_ bytes: UnsafeRawBufferPointer) throws(Pump.Failure) -> Bool {
    do throws(SystemCallError) { _ = try peer.socket.send(bytes, waiting: false) } catch {
      if error.code == .wouldBlock { return false }
      throw Pump.Failure(side: .connection, code: error.code)
    }
    return true
  }

  /// - Returns: false at the peer's end.
  private func receive() throws -> Bool {
    let count: Int
    do throws(SystemCallError) {
      guard let length = try peer.receive(into: room) else { return true }
      count = length
    } catch {
      // A datagram whose checksum is wrong wakes the reader and is not there.
      if error.code == .wouldBlock { return true }
      throw Pump.Failure(side: .connection, code: error.code)
    }
    if count == 0, hasEnd { return false }
    do throws(SystemCallError) {
      try StandardStream.output.write(UnsafeRawBufferPointer(rebasing: room[..<count]))
    } catch { throw Pump.Failure(side: .output, code: error.code) }
    return true
  }
}
