import Admission
import CSharedLayouts
import ControlProtocol
import Settings
import UnixIPC

/// When the next program may get the listening sockets, where one at a time does.
struct Handover {
  private static let healthyAge: Int64 = 1_000_000_000
  private static let shortestDelay: Int64 = 100_000_000
  private static let longestDelay: Int64 = 10_000_000_000

  /// Of starts: a program that never takes its client would be started without end.
  fileprivate static let defaultRate = RateLimit("50/s")!

  private var delay: Int64 = 0
  /// When the bucket of starts is full again.
  fileprivate var fullAt: Int64 = 0

  /// How long to wait after one has ended, nanoseconds: longer and longer for one that fails soon after its start.
  mutating func delay(afterSuccess isSuccess: Bool, age: Int64) -> Int64 {
    if isSuccess || age >= Handover.healthyAge {
      delay = 0
    } else {
      delay = min(max(2 * delay, Handover.shortestDelay), Handover.longestDelay)
    }
    return delay
  }
}

extension Listener {
  /// Starts the program with the sockets themselves, and leaves them to it until it ends.
  ///
  /// The socket that has a client is the program's 0 and 1, as inetd does it; all of them are its 3 and upwards, as a
  /// service manager does it.
  mutating func handOver(to program: PreparedProgram, streams: UInt64, datagrams: UInt64) {
    guard drain == nil, table.isEmpty else { return }
    let now = Clock.monotonic()
    let bucket = TokenBucket(options.admission.rate ?? Handover.defaultRate)
    let next = bucket.nextTime(fullAt: handover.fullAt)
    guard next <= now else { return pauseAccepting(.rate, until: next) }
    handover.fullAt = bucket.taking(fullAt: handover.fullAt, now: now)
    var numbers: [CInt] = []
    var ready: CInt?
    for (index, entry) in sockets.streams.enumerated() {
      let number = entry.socket.descriptor.number
      // Programs of this kind expect to wait in accept(2).
      try? entry.socket.descriptor.setNonBlocking(false)
      numbers.append(number)
      if ready == nil, streams & (1 << UInt64(index & 63)) != 0 { ready = number }
    }
    for (index, entry) in sockets.datagrams.enumerated() {
      let number = entry.socket.descriptor.number
      numbers.append(number)
      if ready == nil, datagrams & (1 << UInt64(index & 63)) != 0 { ready = number }
    }
    guard let ready else { return }
    let errors = ProgramErrors.number(of: programErrors)
    do throws(CallFailure) {
      let child = try program.start(descriptors: [ready, ready, errors] + numbers)
      let index = table.nextSlot
      let slot = scoreboard.slot(index)
      slot.pointee = begat_slot(
        pid: child, waiting: 0, bytes_received: ConnectionRecord.unknownCount,
        bytes_sent: ConnectionRecord.unknownCount, started: now, family: 0, port: 0, uid: 0,
        address: PeerFields(nil).bytes, ended: 0)
      let deadline = options.maxDuration.map { now + $0.nanoseconds } ?? .max
      table.insert(
        ConnectionTable.Entry(
          process: child, slot: UInt32(index), started: now, user: 0, peer: PeerFields(nil), ticket: nil,
          deadline: deadline))
      scoreboard.header.pointee.accepted &+= 1
      scoreboard.header.pointee.active = UInt32(table.count)
      pauseAccepting(.handedOver)
      endShortage()
    } catch {
      if error.errno.isShortage { return pauseAccepting(.shortage(error.call, error.errno)) }
      sayFailed(error)
      pauseAccepting(.handedOver, until: now + handover.delay(afterSuccess: false, age: 0))
    }
  }

  /// The program is gone: the next client gets another one, after a pause if this one failed soon.
  mutating func handoverEnded(_ status: ExitStatus, _ entry: ConnectionTable.Entry) {
    let now = Clock.monotonic()
    let delay = handover.delay(afterSuccess: status.isSuccess, age: now - entry.started)
    if delay > 0, drain == nil {
      reporter.log(
        .warning,
        "the program failed at once: \(status); the next one is started in \(DurationText.render(.nanoseconds(delay)))")
    }
    accepting.retryTime = now + delay
  }
}
