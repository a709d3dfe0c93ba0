import Control
import Glibc
@_spi(Begat) import UnixCore

/// A process that is connected to a control socket: one request at a time is read, carried out and answered.
final class ControlPeer {
  enum State {
    /// A request is awaited; the peer has a limited time for it.
    case reading
    /// A whole request has come and waits for its turn.
    case queued
    /// The request is being carried out, which may take long.
    case waiting
    /// The answer is on its way; the peer has a limited time to read it.
    case writing
  }

  /// The findings of one reading.
  enum Input {
    case nothing, request, end
  }

  let token: UInt64
  let socket: Descriptor
  let door: ControlDoor
  /// Its user when it connected; nil where the kernel does not name one.
  let user: uid_t?
  private(set) var state = State.reading
  /// When the state began, CLOCK_MONOTONIC nanoseconds.
  private(set) var since: Int64
  /// The readiness for which the poller watches it.
  var interest = Poller.Interest.readable
  private weak var server: ControlServer?
  private var input: [UInt8] = []
  private var output: [UInt8] = []
  private var written = 0
  /// Whether the peer sends no more.
  private var hasEnded = false
  /// Whether what it has sent makes no sense any more.
  private var isOverlong = false

  init(
    token: UInt64, _ socket: consuming Descriptor, at door: ControlDoor, server: ControlServer, now: Int64,
    isWaiting: Bool = false
  ) {
    self.token = token
    user = (try? PeerCredentials(of: socket))?.user
    self.socket = socket
    self.door = door
    self.server = server
    since = now
    guard isWaiting else { return }
    state = .waiting
    interest = []
  }

  private func enter(_ state: State) {
    self.state = state
    since = SystemClock.monotonic()
  }

  // MARK: Requests

  private static let lineEnd = UInt8(ascii: "\n")

  private var hasRequest: Bool {
    isOverlong || input.contains(ControlPeer.lineEnd) || hasEnded && !input.isEmpty
  }

  /// Reads once what is there.
  func read() -> Input {
    guard state == .reading else { return .nothing }
    let room = ControlLanguage.maxRequestLength + 2 - input.count
    do throws(SystemCallError) {
      let count = try withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) {
        buffer -> Result<Int, SystemCallError> in
        do throws(SystemCallError) {
          let count = try socket.receive(into: buffer, waiting: false)
          input += buffer[..<count]
          return .success(count)
        } catch { return .failure(error) }
      }.get()
      if count == 0 { hasEnded = true }
    } catch { return error.code == .wouldBlock ? .nothing : .end }
    isOverlong = !input.contains(ControlPeer.lineEnd) && input.count > ControlLanguage.maxRequestLength + 1
    return queueRequest() ? .request : hasEnded ? .end : .nothing
  }

  /// Whether a whole request is there, which waits for its turn now.
  func queueRequest() -> Bool {
    guard hasRequest else { return false }
    enter(.queued)
    return true
  }

  /// Takes the request that is there: from now on its answer is awaited.
  func takeRequest() -> [UInt8] {
    enter(.waiting)
    let end = input.firstIndex(of: ControlPeer.lineEnd)
    var line = Array(input[..<(end ?? input.endIndex)])
    // A line without an end or without room is the last that is read of this peer.
    input.removeFirst(end.map { $0 + 1 } ?? input.count)
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
  }

  // MARK: Answers

  var awaitsAnswer: Bool { server != nil && state == .waiting }

  /// Bytes of an answer that are still to be sent.
  var unreadCount: Int { output.count - written }

  func answer(_ answer: ControlAnswer) {
    guard awaitsAnswer else { return }
    output = answer.line
    written = 0
    enter(.writing)
    server?.advance(self)
  }

  /// Writes what there is room for, without waiting.
  ///
  /// - Returns: whether all is written.
  /// - Throws: when the peer has gone.
  func write() throws(SystemCallError) -> Bool {
    while written < output.count {
      let result = output.withUnsafeBytes { bytes -> Result<Int, SystemCallError> in
        do throws(SystemCallError) {
          return .success(try socket.send(UnsafeRawBufferPointer(rebasing: bytes[written...]), waiting: false))
        } catch { return .failure(error) }
      }
      switch result {
      case .success(let count): written += count
      case .failure(let error) where error.code == .wouldBlock: return false
      case .failure(let error): throw error
      }
    }
    output = []
    written = 0
    return true
  }

  /// Begins to wait for the next request; false if there will be none.
  func readOn() -> Bool {
    guard !isOverlong, !hasEnded || !input.isEmpty else { return false }
    enter(.reading)
    return true
  }
}
