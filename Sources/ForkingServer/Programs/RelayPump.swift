import Glibc
import NetworkServices
import UnixIPC

/// Carries the bytes of a relay.
struct RelayPump: ~Copyable {
  /// The idle limit is for a line in either direction, or for so many bytes without one: a client that sends a byte now
  /// and then is idle, even if its program sends each one back.
  private static let recordSize = 512

  private let limits: TimeLimits
  private var upward = ByteFlow()
  private var downward = ByteFlow()
  private var hasShutDownProgram = false
  private var hasShutDownClient = false
  private var upwardCount = 0
  private var downwardCount = 0
  private var hasReceived = false
  /// Since when nobody has got on.
  private var quietSince = Deadline.now

  init(limits: TimeLimits) { self.limits = limits }

  enum End {
    /// Both have ended, or the program is gone.
    case complete
    case limit(Waiting)
    /// This process is to end.
    case stopped
  }

  /// Carries in both directions.
  ///
  /// - Parameter stop: becomes readable when this process is to end.
  mutating func run(client: inout Connection, program: borrowing Descriptor, stop: CInt) -> End {
    while !(downward.hasEnded && downward.isEmpty && upward.hasEnded && upward.isEmpty) {
      let waiting: Waiting = hasReceived || limits.firstByte == nil ? .idle : .firstByte
      let limit = waiting == .firstByte ? limits.firstByte : limits.idle
      let deadline = limit.map { quietSince.advanced(by: $0) } ?? .never
      if deadline.hasPassed { return .limit(waiting) }
      if carry(client: &client, program: program, stop: stop, until: deadline) { return .stopped }
    }
    return .complete
  }

  /// Carries until the program has ended its output and its client has all of it.
  mutating func finish(client: inout Connection, program: borrowing Descriptor, until deadline: Deadline) {
    while !(downward.hasEnded && downward.isEmpty), !deadline.hasPassed {
      _ = carry(client: &client, program: program, stop: -1, until: deadline)
    }
  }

  /// - Returns: whether this process is to end.
  private mutating func carry(
    client: inout Connection, program: borrowing Descriptor, stop: CInt, until deadline: Deadline
  ) -> Bool {
    // A side with nothing to do is left out: its hang-up would wake us for ever.  The program's own hang-up matters only
    // while the client is all that is waited for.
    let clientWants = RelayPump.interest(reading: upward.wantsMore, writing: !downward.isEmpty)
    let programWants = RelayPump.interest(reading: downward.wantsMore, writing: !upward.isEmpty)
    let isProgramWatched = !programWants.isEmpty || downward.hasEnded && downward.isEmpty
    var set = PollSet()
    set.add(clientWants.isEmpty ? -1 : client.inputNumber, clientWants)
    set.add(isProgramWatched ? program.number : -1, programWants)
    set.add(stop, .readable)
    _ = try? set.wait(until: deadline)
    if !set[0].isEmpty {
      receive(from: &client)
      send(to: &client)
    }
    if !set[1].isEmpty {
      receive(from: program)
      send(to: program, hasHungUp: set[1].contains(.hungUp))
    }
    // What came in is passed on in the same turn, without another question.
    if !downward.isEmpty { send(to: &client) }
    if !upward.isEmpty { send(to: program, hasHungUp: false) }
    passEndsOn(client: &client, program: program)
    return !set[2].isEmpty
  }

  private static func interest(reading: Bool, writing: Bool) -> Poller.Interest {
    (reading ? Poller.Interest.readable : []).union(writing ? .writable : [])
  }

  private mutating func receive(from client: inout Connection) {
    guard upward.wantsMore else { return }
    do throws(Errno) {
      var isRecord = !hasReceived
      try upward.fill { (buffer) throws(Errno) in
        let count = try client.receiveNow(into: buffer)
        if RelayPump.endsRecord(UnsafeRawBufferPointer(rebasing: buffer[..<count]), &upwardCount) { isRecord = true }
        return count
      }
      guard !upward.isEmpty else { return }
      hasReceived = true
      if isRecord { quietSince = .now }
    } catch { upward.abandon() }
  }

  private mutating func send(to client: inout Connection) {
    guard !downward.isEmpty else { return }
    do throws(Errno) {
      var isRecord = false
      try downward.drain { (bytes) throws(Errno) in
        let count = try client.sendNow(bytes)
        isRecord = RelayPump.endsRecord(UnsafeRawBufferPointer(rebasing: bytes[..<count]), &downwardCount)
        return count
      }
      if isRecord { quietSince = .now }
    } catch {
      // The client is gone: its program gets the end of its input, and its output is for nobody.
      downward.abandon()
      upward.abandon()
    }
  }

  /// Whether the bytes bring a record to its end.
  ///
  /// - Parameter count: of bytes since the last one's end.
  private static func endsRecord(_ bytes: UnsafeRawBufferPointer, _ count: inout Int) -> Bool {
    count += bytes.count
    guard let start = bytes.baseAddress else { return false }
    guard count >= recordSize || memchr(start, CInt(UInt8(ascii: "\n")), bytes.count) != nil else { return false }
    count = 0
    return true
  }

  private mutating func receive(from program: borrowing Descriptor) {
    do throws(Errno) {
      try downward.fill { (buffer) throws(Errno) in try program.receive(into: buffer, waiting: false) }
    } catch { downward.abandon() }
  }

  private mutating func send(to program: borrowing Descriptor, hasHungUp: Bool) {
    do throws(Errno) {
      try upward.drain { (bytes) throws(Errno) in try program.send(bytes, waiting: false) }
    } catch { upward.abandon() }
    // Nobody has the other end any more.
    if hasHungUp, downward.hasEnded { upward.abandon() }
  }

  private mutating func passEndsOn(client: inout Connection, program: borrowing Descriptor) {
    if upward.hasEnded, upward.isEmpty, !hasShutDownProgram {
      hasShutDownProgram = true
      try? program.shutDownSending()
    }
    if downward.hasEnded, downward.isEmpty, !hasShutDownClient {
      hasShutDownClient = true
      client.endReply()
    }
  }
}
