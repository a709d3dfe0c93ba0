import NetworkServices
import UnixIPC

/// How the output of a command ended.
enum OutputEnd: Hashable {
  case complete
  /// It was longer than what is sent.
  case cut
  /// The command's time was up.
  case late
  /// The client took nothing for as long as the idle limit allows.
  case clientIdle
  case clientClosed
  /// This process was asked to end.
  case stopped
  case failed(Errno)
}

/// Carries a command's output to its client, with CRLF at the ends of lines, and waits for both, for the time and for a
/// signal at once: none of them ends this process while the command is running.
struct CommandOutput {
  private static let chunk = 1024

  /// Bytes of output that are still sent.
  private var left: Int
  private let idle: Duration?
  private var ends = LineEnds()

  init(longest: Int, idle: Duration?) {
    left = longest
    self.idle = idle
  }

  /// - Parameter deadline: of the command.
  /// - Parameter stop: becomes readable when this process is to end.
  mutating func carry(
    _ output: borrowing Descriptor, to connection: inout Connection, until deadline: Deadline, stop: CInt
  ) -> OutputEnd {
    withUnsafeTemporaryAllocation(byteCount: 3 * CommandOutput.chunk, alignment: 16) { room in
      let read = UnsafeMutableRawBufferPointer(rebasing: room[..<CommandOutput.chunk])
      // Twice as much, if every byte is an LF.
      let converted = UnsafeMutableRawBufferPointer(rebasing: room[CommandOutput.chunk...])
      while true {
        switch wait(for: output.number, .readable, connection, stop, until: deadline) {
        case .ready: break
        case .late: return .late
        case .clientClosed: return .clientClosed
        case .stopped: return .stopped
        }
        let count: Int
        do throws(Errno) { count = try output.read(into: read) } catch { return .failed(error) }
        if count == 0 { return .complete }
        let length = ends.expand(UnsafeRawBufferPointer(rebasing: read[..<min(count, left)]), into: converted)
        let lines = UnsafeRawBufferPointer(rebasing: converted[..<length])
        if let end = send(lines, to: &connection, until: deadline, stop) { return end }
        left -= count
        if left < 0 { return .cut }
      }
    }
  }

  /// Nil when all was sent.
  private func send(
    _ bytes: UnsafeRawBufferPointer, to connection: inout Connection, until deadline: Deadline, _ stop: CInt
  ) -> OutputEnd? {
    var rest = bytes
    while !rest.isEmpty {
      let idleDeadline = Deadline(after: idle)
      let earliest = min(deadline, idleDeadline)
      switch wait(for: connection.outputNumber, .writable, connection, stop, until: earliest) {
      case .ready: break
      // A client that takes little must not keep the command beyond its time.
      case .late: return deadline <= idleDeadline ? .late : .clientIdle
      case .clientClosed: return .clientClosed
      case .stopped: return .stopped
      }
      do throws(Errno) {
        rest = UnsafeRawBufferPointer(rebasing: rest[(try connection.sendNow(rest))...])
      } catch {
        if error == .wouldBlock { continue }
        return ConnectionFailure(error) == .clientClosed ? .clientClosed : .failed(error)
      }
    }
    return nil
  }

  private enum Wait {
    case ready
    case late
    case clientClosed
    case stopped
  }

  private func wait(
    for number: CInt, _ interest: Poller.Interest, _ connection: borrowing Connection, _ stop: CInt,
    until deadline: Deadline
  ) -> Wait {
    let client = connection.outputNumber
    var set = PollSet()
    set.add(number, interest)
    set.add(stop, .readable)
    // A client that has only ended its own direction still listens: hang-up means both.
    set.add(client == number ? -1 : client, [])
    while true {
      let isReady = (try? set.wait(until: deadline)) ?? false
      if !set[1].isEmpty { return .stopped }
      if !set[2].isEmpty { return .clientClosed }
      // First: something may be ready each time.
      if deadline.hasPassed { return .late }
      if isReady { return .ready }
    }
  }
}
