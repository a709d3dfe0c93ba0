@_spi(Begat) import UnixCore

/// Questions and answers by datagrams of UDP and of Unix sockets.
extension LoadGenerator {
  /// Sends a question, from the slot's socket or a new one.
  func ask(_ index: Int, at now: Int64) {
    do throws(SystemCallError) {
      if slots[index].socket == nil {
        let socket = try ClientSocket.start(to: native, from: try takeSource(), kind: .datagram)
        try poller.add(socket, .readable, token: UInt64(index))
        slots[index].socket = consume socket
      }
      _ = try slots[index].socket?.send(UnsafeRawBufferPointer(rebasing: text[..<settings.sentBytes]), waiting: false)
      slots[index].phase = .open
      active += 1
    } catch {
      // The receiver's queue is full.
      if error.code == .wouldBlock { return postpone(index, at: now) }
      fail(index, error, at: now)
    }
  }

  /// Takes the answer to a slot's question.
  func receiveAnswer(_ index: Int) {
    do throws(SystemCallError) {
      let count = try slots[index].socket?.receive(into: sink, waiting: false) ?? 0
      // A second answer to the last question.
      guard slots[index].phase == .open else { return }
      take(count, index)
      end(index, outcome(of: index))
    } catch {
      // A datagram whose checksum is wrong wakes the reader and is not there.
      if error.code == .wouldBlock { return }
      guard slots[index].phase == .open else {
        slots[index].socket = nil
        return
      }
      end(index, LoadOutcome(failure: error.code), code: error.code)
    }
  }

  /// Whether the next question goes out from the same socket.
  ///
  /// An answer that comes too late must not count as that to the next question, so it finds no socket.
  func keepsSocket(after outcome: LoadOutcome) -> Bool {
    guard settings.usesDatagrams, sources.count == 0 else { return false }
    return switch outcome {
    case .ok, .empty, .short, .long, .unexpected: true
    case .refused, .reset, .timedOut, .other: false
    }
  }
}
