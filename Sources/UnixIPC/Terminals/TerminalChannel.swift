import Glibc

/// The controlling side of a program's terminal, and the program's end: when will no more bytes come?
struct TerminalChannel: ~Copyable {
  // Closed before the session is ended: a hang-up may end it politely.
  let terminal: PseudoTerminal
  var session: TerminalSession
  /// Nothing more will be read.
  private(set) var hasEnded = false
  /// Set when the program has ended: what it wrote last is still on its way through the kernel's queue.
  private var quietLimit: Deadline?
  /// Readable when nobody wants to wait any more; -1 for none.
  var cancellation: CInt = -1

  init(terminal: consuming PseudoTerminal, session: consuming TerminalSession) {
    self.terminal = terminal
    self.session = session
  }

  /// Reads what is there; 0 at the end, nil when nothing is there now.
  mutating func read(into room: UnsafeMutableRawBufferPointer) throws(CallFailure) -> Int? {
    if hasEnded { return 0 }
    do throws(Errno) {
      let count = try terminal.controlling.read(into: room)
      if count == 0 { hasEnded = true }
      return count
    } catch {
      switch error {
      case .wouldBlock: return nil
      // Linux's way to say that the terminal side was closed everywhere, and all that was written is read.
      case Errno(rawValue: EIO):
        hasEnded = true
        return 0
      default: throw CallFailure("read", on: terminal.path, errno: error)
      }
    }
  }

  /// Writes some of the bytes; 0 when there is no room now.
  func write(_ bytes: ArraySlice<UInt8>) throws(CallFailure) -> Int {
    // The kernel would take it, for whoever opens the terminal next.
    if hasEnded { throw CallFailure("write", on: terminal.path, errno: Errno(rawValue: EIO)) }
    let number = terminal.controlling.number
    do throws(Errno) {
      return try attempt { bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) } }
    } catch {
      if error == .wouldBlock { return 0 }
      throw CallFailure("write", on: terminal.path, errno: error)
    }
  }

  /// Waits until there is something to read or, where `writing` asks for it, room to write; false at the deadline, also
  /// at one of `withDeadline`.
  ///
  /// - Parameter others: further descriptors to wait for, three at most.  With some, it returns also after a signal's
  ///   handler ran.
  /// - Throws: `ECANCELED` when `cancellation` is readable.
  mutating func wait(
    reading: Bool = true, writing: Bool = false, also others: inout PollSet, until deadline: Deadline
  ) throws(CallFailure) -> Bool {
    let deadline = min(deadline, .ofThread)
    let wanted = others
    // A descriptor that is not asked about must not be polled: a hang-up is reported unasked, over and over.
    let isWanted = !hasEnded && (reading || writing)
    let interest = (reading ? Poller.Interest.readable : []).union(writing ? .writable : [])
    while true {
      others = wanted
      let output = others.add(isWanted ? terminal.controlling.number : -1, interest)
      let end = others.add(quietLimit == nil ? session.endDescriptor : -1, .readable)
      let cancelled = others.add(cancellation, .readable)
      let limit = reading && !hasEnded ? min(deadline, quietLimit ?? .never) : deadline
      var isReady = false
      do throws(Errno) {
        isReady = try others.waitInterruptibly(until: limit)
      } catch {
        if error != .interrupted { throw CallFailure("poll", on: terminal.path, errno: error) }
        if wanted.count > 0 { return true }
      }
      if isReady {
        if !others[cancelled].isEmpty { throw CallFailure("poll", on: terminal.path, errno: .canceled) }
        if !others[end].isEmpty { noteEnd() }
        if !others[output].isEmpty || !others[end].isEmpty && hasEnded { return true }
        if (0..<wanted.count).contains(where: { !others[$0].isEmpty }) { return true }
      } else if let quietLimit, reading, quietLimit.hasPassed {
        // Somebody outside the session has the terminal open: the end of the file would never come.
        hasEnded = true
        return true
      }
      if deadline.hasPassed { return false }
    }
  }

  /// Of a busy program there is always something to read, so that nobody waits.
  ///
  /// - Throws: `ECANCELED` when `cancellation` is readable.
  func mustBeWanted() throws(CallFailure) {
    if !PollSet.readiness(of: cancellation, for: .readable).isEmpty {
      throw CallFailure("poll", on: terminal.path, errno: .canceled)
    }
  }

  /// The program has ended: whoever it left behind must not keep its terminal open.
  private mutating func noteEnd() {
    session.sweep()
    quietLimit = Deadline(after: .seconds(1))
  }
}
