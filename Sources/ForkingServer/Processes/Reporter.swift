import ControlProtocol
import UnixIPC

/// Where a listener's news goes: to begatd, or to standard error where there is none.  Never waits for either.
struct Reporter: ~Copyable {
  private var channel: Descriptor?
  private let name: String
  /// News that could not be delivered since the last that could.
  private(set) var dropped = 0

  init(channel: consuming Descriptor?, name: String) {
    self.channel = channel
    self.name = name
  }

  var channelNumber: CInt? {
    switch channel {
    case .some(let channel): channel.number
    case nil: nil
    }
  }

  /// From now on news goes to standard error.
  mutating func loseChannel() { channel = nil }

  /// False where it could not be delivered.
  @discardableResult
  mutating func log(_ severity: Severity, _ text: String) -> Bool {
    do throws(Errno) {
      switch channel {
      case .some(let channel): try ListenerChannel.sendLog(severity, text, on: channel)
      case nil: try StandardError.writeAtOnce("begat-listener: \(name): \(text)\n")
      }
      return true
    } catch {
      dropped += 1
      return false
    }
  }

  mutating func sayReady(_ addresses: [String]) {
    guard channelNumber != nil else {
      log(.info, "ready on \(addresses.joined(separator: ", "))")
      return
    }
    switch channel {
    case .some(let channel): try? ListenerChannel.sendReady(on: channel)
    case nil: break
    }
  }

  mutating func report(_ batch: inout RecordBatch) {
    let name = name
    dropped += batch.flush(to: channel) { record in
      try? StandardError.writeAtOnce("begat-listener: \(name): \(record)\n")
    }
  }

  /// Reads what begatd says, answering questions; false when begatd is gone.
  mutating func readChannel() -> Bool {
    switch channel {
    case nil: return true
    case .some(let channel):
      return withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
        while true {
          do throws(Errno) {
            let count = try channel.receive(into: room, waiting: false)
            if count == 0 { return false }
            let message = ListenerChannel.supervisorMessage(UnsafeRawBufferPointer(rebasing: room[..<count]))
            if case .question(let number) = message { try ListenerChannel.sendAlive(number, on: channel) }
          } catch {
            // A full channel: begatd has not read for long and will ask again.
            return error == .wouldBlock
          }
        }
      }
    }
  }
}
