import Glibc
@_spi(Begat) import UnixCore

/// Joins standard input and output to a socket of messages: each piece that is read is sent as one, and each that comes is
/// written.
struct MessageExchange: ~Copyable {
  private let socket: Descriptor
  private let hasEnd: Bool
  private let readsInput: Bool
  private let patience: Duration?
  private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.longest, alignment: 16)

  /// More than the longest message of any kind that a Unix socket takes with its usual buffer.
  private static let longest = 1 << 18
  /// The longest datagram of UDP over IPv4.
  private static let longestSent = 65507

  /// - Parameter hasEnd: whether the peer learns of the input's end, and says its own.
  /// - Parameter patience: how long answers are waited for after the input's end, where the peer has no end to say; where it
  ///   has, how long the input is after the peer's.
  init(_ socket: consuming Descriptor, hasEnd: Bool, readsInput: Bool, patience: Duration?) {
    self.socket = socket
    self.hasEnd = hasEnd
    self.readsInput = readsInput
    self.patience = patience
  }

  deinit { room.deallocate() }

  /// Runs until the peer has ended, or has not answered for long enough after the input's end.
  func run() throws {
    var isReading = readsInput
    var hasSent = false
    while true {
      var set = PollSet()
      let input = set.add(isReading ? StandardStream.input.rawValue : -1, .readable)
      let peer = set.add(socket.number, .readable)
      let limit = isReading || hasEnd || !readsInput ? nil : patience
      guard try set.wait(until: limit.map { Deadline(after: $0) } ?? .never) else { return }
      if !set[peer].isEmpty, try !receive() { return }
      guard !set[input].isEmpty else { continue }
      let bytes = try readInput()
      // Some services answer an empty datagram; an input without a byte is one.
      if !bytes.isEmpty || !hasEnd && !hasSent { try send(bytes) }
      hasSent = true
      if !bytes.isEmpty { continue }
      isReading = false
      if hasEnd { try? socket.shutDownSending() }
    }
  }

  private func readInput() throws(Pump.Failure) -> UnsafeRawBufferPointer {
    let piece = UnsafeMutableRawBufferPointer(rebasing: room[..<Self.longestSent])
    do throws(SystemCallError) {
      let count = try Descriptor.withBorrowed(StandardStream.input.rawValue) { (input) throws(SystemCallError) in
        try input.read(into: piece)
      }
      return UnsafeRawBufferPointer(rebasing: piece[..<count])
    } catch { throw Pump.Failure(side: .input, code: error.code) }
  }

  private func send(_ bytes: UnsafeRawBufferPointer) throws(Pump.Failure) {
    do throws(SystemCallError) { _ = try socket.send(bytes) } catch {
      throw Pump.Failure(side: .connection, code: error.code)
    }
  }

  /// - Returns: false at the peer's end.
  private func receive() throws -> Bool {
    let count: Int
    do throws(SystemCallError) { count = try socket.receive(into: room, waiting: false) } catch {
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
