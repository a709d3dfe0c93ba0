import Glibc
@_spi(Begat) import UnixCore

/// A closed loop: as many connections under way as asked for; one that ends makes room for the next.
///
/// One thread and one epoll; nothing is allocated per connection.
final class LoadGenerator {
  private let settings: LoadSettings
  private let address: SocketAddress
  private let poller: Poller
  private let slots: UnsafeMutableBufferPointer<LoadSlot>
  /// Where all connections read to, and what all of them send.
  private let sink = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
  private let text = UnsafeMutableRawBufferPointer.allocate(byteCount: largestText, alignment: 16)
  private let timeout: Int64
  private var sources: SourceAddresses
  private var clients: ClaimedClients
  private var deadline = Int64.max
  private var begun = 0
  private var active = 0
  private var paused = 0
  private(set) var tally = LoadTally()

  static let largestText = 16_384

  /// Reads of one connection before the others have their turn.
  private static let readsPerTurn = 16
  private static let pause: Int64 = 1_000_000
  private static let sweepInterval: Int64 = 50_000_000

  init(
    settings: LoadSettings, address: SocketAddress, sources: SourceAddresses, clients: consuming ClaimedClients
  ) throws(SystemCallError) {
    self.settings = settings
    self.address = address
    self.sources = sources
    self.clients = clients
    poller = try Poller()
    slots = .allocate(capacity: settings.concurrency)
    for index in slots.indices { slots.initializeElement(at: index, to: LoadSlot()) }
    timeout = settings.timeout.nanoseconds
    text.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
    if settings.sentText.count <= text.count { text.copyBytes(from: settings.sentText) }
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
    sink.deallocate()
    text.deallocate()
  }

  /// Runs until the last connection has ended.
  func run() {
    let start = SystemClock.monotonic()
    if case .duration(let duration) = settings.end { deadline = start + duration.nanoseconds }
    for index in slots.indices { begin(index, at: start) }
    var nextSweep = start + Self.sweepInterval
    while active + paused > 0 {
      poller.wait(milliseconds: paused > 0 ? 1 : 50) { event in advance(Int(event.token), event.ready) }
      let now = SystemClock.monotonic()
      if paused > 0 { resume(at: now) }
      if now >= nextSweep {
        endLate(at: now)
        nextSweep = now + Self.sweepInterval
      }
    }
  }

  private var mayBegin: Bool {
    if case .connections(let count) = settings.end { begun < count } else { true }
  }

  /// Gives a slot its next connection, if there is to be another.
  private func begin(_ index: Int, at now: Int64) {
    guard mayBegin, now < deadline else {
      slots[index].phase = .idle
      return
    }
    begun += 1
    slots[index].began = now
    slots[index].received = 0
    slots[index].sent = 0
    connect(index, at: now)
  }

  private func connect(_ index: Int, at now: Int64) {
    do throws(SystemCallError) {
      let socket = try ClientSocket.start(to: address, from: sources.take())
      let client = clients.take()
      // The text follows the header immediately, instead of waiting for the peer's acknowledgement.
      if clients.count > 0, settings.sentBytes > 0, !address.isUnix {
        try socket.setOption(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
      }
      let sends = !clients.header(client).isEmpty || settings.sentBytes > 0
      try poller.add(socket.number, sends ? [.readable, .writable] : .readable, token: UInt64(index))
      slots[index].client = client
      slots[index].socket = consume socket
      slots[index].phase = .open
      active += 1
    } catch {
      if address.isUnix, error.code == .wouldBlock {
        tally.backlogFull += 1
        slots[index].phase = .postponed
      } else {
        tally.count(LoadOutcome(failure: error.code), code: error.code)
        slots[index].phase = .resting
      }
      slots[index].resumes = now + Self.pause
      paused += 1
    }
  }

  /// Carries one connection as far as it goes without waiting.
  private func advance(_ index: Int, _ ready: Poller.Interest) {
    if ready.contains(.writable), !send(index) { return }
    // A failure shows itself when reading.
    if !ready.subtracting(.writable).isEmpty { receive(index) }
  }

  /// Returns whether the connection goes on.
  private func send(_ index: Int) -> Bool {
    let header = clients.header(slots[index].client)
    let total = header.count + settings.sentBytes
    do throws(SystemCallError) {
      slots[index].sent += try slots[index].socket?.send(part(of: header, from: slots[index].sent, to: total)) ?? 0
    } catch {
      switch error.code {
      case .wouldBlock: return true
      // What the peer had sent before it went away is still to be received.
      case .brokenPipe: slots[index].sent = total
      default:
        end(index, LoadOutcome(failure: error.code), code: error.code)
        return false
      }
    }
    guard slots[index].sent >= total else { return true }
    do throws(SystemCallError) {
      try poller.change(slots[index].socket?.number ?? -1, .readable, token: UInt64(index))
      return true
    } catch {
      end(index, .other, code: error.code)
      return false
    }
  }

  /// The bytes to send next: the rest of the header, then text.
  private func part(of header: UnsafeRawBufferPointer, from sent: Int, to total: Int) -> UnsafeRawBufferPointer {
    if sent < header.count { return UnsafeRawBufferPointer(rebasing: header[sent...]) }
    return UnsafeRawBufferPointer(rebasing: text[..<min(total - sent, text.count)])
  }

  private func receive(_ index: Int) {
    do throws(SystemCallError) {
      for _ in 0..<Self.readsPerTurn {
        let count = try slots[index].socket?.receive(into: sink) ?? 0
        if count == 0 {
          return end(index, LoadOutcome(received: slots[index].received, expected: settings.expectedBytes))
        }
        slots[index].received += count
      }
    } catch {
      if error.code != .wouldBlock { end(index, LoadOutcome(failure: error.code), code: error.code) }
    }
  }

  /// Counts a connection, closes it, and lets the next have its slot.
  private func end(_ index: Int, _ outcome: LoadOutcome, code: ErrorCode? = nil) {
    let now = SystemClock.monotonic()
    tally.count(outcome, code: code)
    tally.add(bytes: slots[index].received)
    if outcome == .ok { tally.recordLatency(nanoseconds: now - slots[index].began) }
    slots[index].socket = nil
    active -= 1
    begin(index, at: now)
  }

  /// Goes on with the slots whose pause is over.
  private func resume(at now: Int64) {
    for index in slots.indices where slots[index].resumes <= now {
      switch slots[index].phase {
      case .idle, .open: continue
      case .postponed where now - slots[index].began < timeout:
        paused -= 1
        connect(index, at: now)
      case .postponed:
        paused -= 1
        tally.count(.timedOut)
        begin(index, at: now)
      case .resting:
        paused -= 1
        begin(index, at: now)
      }
    }
  }

  private func endLate(at now: Int64) {
    for index in slots.indices where slots[index].phase == .open && now - slots[index].began >= timeout {
      end(index, .timedOut)
    }
  }
}
