import Glibc
@_spi(Begat) import UnixCore

/// Connections of TCP and of Unix sockets.
extension LoadGenerator {
  /// Reads of one connection before the others have their turn.
  private static let readsPerTurn = 16

  func connect(_ index: Int, at now: Int64) {
    do throws(SystemCallError) {
      let socket = try ClientSocket.start(to: native, from: try takeSource())
      slots[index].client = clients.take()
      let total = bytesToSend(index)
      // The text follows the header immediately, instead of waiting for the peer's acknowledgement.
      if clients.count > 0, settings.sentBytes > 0, !address.isUnix {
        try socket.setOption(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
      }
      try poller.add(
        socket.number, total > 0 ? [.readable, .endOfSending, .writable] : [.readable, .endOfSending],
        token: UInt64(index))
      slots[index].socket = consume socket
      slots[index].phase = .open
      active += 1
    } catch {
      if address.isUnix, error.code == .wouldBlock { return postpone(index, at: now) }
      fail(index, error, at: now)
    }
  }

  func takeSource() throws(SystemCallError) -> RawSocketAddress? {
    if let source = sources.take() { try RawSocketAddress(source) } else { nil }
  }

  /// Carries one connection as far as it goes without waiting.
  func advanceStream(_ index: Int, _ ready: Poller.Interest) {
    if ready.contains(.writable), !send(index) { return }
    // A failure shows itself when reading.
    if !ready.subtracting(.writable).isEmpty { receive(index, ready) }
  }

  private func bytesToSend(_ index: Int) -> Int {
    clients.header(slots[index].client).count + settings.sentBytes
  }

  /// Returns whether the connection goes on.
  private func send(_ index: Int) -> Bool {
    let header = clients.header(slots[index].client)
    let total = bytesToSend(index)
    do throws(SystemCallError) {
      slots[index].sent += try slots[index].socket?.send(part(of: header, from: slots[index].sent, to: total)) ?? 0
    } catch {
      switch error.code {
      case .wouldBlock: return true
      // Bytes that the peer had sent before it went away can still be received.
      case .brokenPipe: slots[index].sent = total
      default:
        end(index, LoadOutcome(failure: error.code), code: error.code)
        return false
      }
    }
    guard slots[index].sent >= total else { return true }
    do throws(SystemCallError) {
      try poller.change(slots[index].socket?.number ?? -1, [.readable, .endOfSending], token: UInt64(index))
      return true
    } catch {
      end(index, .other, code: error.code)
      return false
    }
  }

  /// The bytes to send next: the rest of the header, then text.
  private func part(of header: UnsafeRawBufferPointer, from sent: Int, to total: Int) -> UnsafeRawBufferPointer {
    if sent < header.count { return UnsafeRawBufferPointer(rebasing: header[sent...]) }
    // A text goes on where it was interrupted; all other bytes are the same.
    let start = settings.sentText.isEmpty ? 0 : sent - header.count
    return UnsafeRawBufferPointer(rebasing: text[start..<min(start + total - sent, text.count)])
  }

  private func receive(_ index: Int, _ ready: Poller.Interest) {
    // Without a failure, a read that does not fill the room has taken everything up to the end, or to what comes later.
    let isWhole = ready.isDisjoint(with: [.failed, .hungUp])
    do throws(SystemCallError) {
      for _ in 0..<Self.readsPerTurn {
        let count = try slots[index].socket?.receive(into: sink) ?? 0
        take(count, index)
        if count == 0 { return endOfStream(index) }
        if isWhole, count < sink.count {
          if ready.contains(.endOfSending) { endOfStream(index) }
          return
        }
      }
    } catch {
      if error.code != .wouldBlock { end(index, LoadOutcome(failure: error.code), code: error.code) }
    }
  }

  /// Counts bytes that lie in the sink.
  func take(_ count: Int, _ index: Int) {
    slots[index].received += count
    guard !settings.expectedText.isEmpty else { return }
    let part = UnsafeRawBufferPointer(rebasing: sink[..<count])
    slots[index].matched = expectedText.search(part, after: slots[index].matched)
  }

  private func endOfStream(_ index: Int) { end(index, outcome(of: index)) }

  /// How a connection ended that ended in order.
  func outcome(of index: Int) -> LoadOutcome {
    LoadOutcome(
      received: slots[index].received, expected: settings.expectedBytes,
      isText: expectedText.isFound(slots[index].matched))
  }
}
