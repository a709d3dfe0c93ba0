import Glibc
@_spi(Begat) import UnixCore

/// The controlling side of a program's terminal, and the end of the program: after it no more bytes come.
struct TerminalChannel: ~Copyable {
  // Closed before the session is ended: a hang-up may end it politely.
  let terminal: PseudoTerminal
  var session: TerminalSession
  /// Nothing more will be read.
  private(set) var hasEnded = false
  /// Set when the program has ended: what it wrote last is still on its way through the kernel's queue.
  private var quietLimit: Deadline?
  /// Ends all waits when it is cancelled; nil for none.
  var cancellation: Cancellation?

  init(terminal: consuming PseudoTerminal, session: consuming TerminalSession) {
    self.terminal = terminal
    self.session = session
  }

  /// Reads what is there; 0 at the end, nil when nothing is there now.
  mutating func read(into room: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int? {
    if hasEnded { return 0 }
    do throws(SystemCallError) {
      let count = try terminal.controlling.read(into: room)
      if count == 0 { hasEnded = true }
      return count
    } catch {
      switch error.code {
      case .wouldBlock: return nil
      // Linux's way to say that the terminal side was closed everywhere, and all that was written is read.
      case ErrorCode.ioError:
        hasEnded = true
        return 0
      default: throw SystemCallError("read", on: terminal.path, code: error.code)
      }
    }
  }

  /// Writes some of the bytes; 0 when there is no room now.
  func write(_ bytes: ArraySlice<UInt8>) throws(SystemCallError) -> Int {
    // The kernel would keep it for the next process that opens the terminal.
    if hasEnded { throw SystemCallError("write", on: terminal.path, code: ErrorCode.ioError) }
    let number = terminal.controlling.number
    do throws(SystemCallError) {
      return try check("write", onDescriptor: number) {
        bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
      }
    } catch {
      if error.code == .wouldBlock { return 0 }
      throw SystemCallError("write", on: terminal.path, code: error.code)
    }
  }

  /// Waits until there is something to read or, where `writing` asks for it, room to write; false at the deadline, also
  /// at one of `withDeadline`.
  ///
  /// - Parameter others: further descriptors to wait for, three at most.  With some, it returns also after a signal's
  ///   handler ran.
  /// - Throws: `ECANCELED` when it is cancelled.
  mutating func wait(
    reading: Bool = true, writing: Bool = false, also others: inout PollSet, until deadline: Deadline
  ) throws(SystemCallError) -> Bool {
    let deadline = min(deadline, .current)
    let wanted = others
    let cancellation = cancellation
    defer { withExtendedLifetime(cancellation) {} }
    // A descriptor that is not asked about must not be polled: a hang-up is reported unasked, over and over.
    let isWanted = !hasEnded && (reading || writing)
    let interest = (reading ? Poller.Interest.readable : []).union(writing ? .writable : [])
    while true {
      others = wanted
      let output = others.add(isWanted ? terminal.controlling.number : -1, interest)
      let end = others.add(quietLimit == nil ? session.endDescriptor : -1, .readable)
      let cancelled = others.add(cancellation?.number ?? -1, .readable)
      let limit = reading && !hasEnded ? min(deadline, quietLimit ?? .never) : deadline
      var isReady = false
      do throws(SystemCallError) {
        isReady = try others.waitInterruptibly(until: limit)
      } catch {
        if error.code != .interrupted { throw SystemCallError("poll", on: terminal.path, code: error.code) }
        if wanted.count > 0 { return true }
      }
      if isReady {
        if !others[cancelled].isEmpty { throw SystemCallError("poll", on: terminal.path, code: .canceled) }
        if !others[end].isEmpty { noteEnd() }
        if !others[output].isEmpty || !others[end].isEmpty && hasEnded { return true }
        if (0..<wanted.count).contains(where: { !others[$0].isEmpty }) { return true }
      } else if let quietLimit, reading, quietLimit.hasPassed {
        // A process outside the session has the terminal open: the end of the file would never come.
        hasEnded = true
        return true
      }
      if deadline.isExpired { return false }
    }
  }

  /// There is always something to read from a busy program, so that no wait would notice a cancellation.
  ///
  /// - Throws: `ECANCELED` when it is cancelled.
  func mustBeWanted() throws(SystemCallError) {
    if cancellation?.isCancelled ?? false { throw SystemCallError("poll", on: terminal.path, code: .canceled) }
  }

  /// Whether the program has ended, and what it wrote last is still awaited.
  var isDraining: Bool { quietLimit != nil && !hasEnded }

  /// What becomes readable when there is something to read or the program has ended, -1 in the place of one that is not
  /// waited for any more.
  var awaitedNumbers: [CInt] {
    [hasEnded ? -1 : terminal.controlling.number, quietLimit == nil ? session.endDescriptor : -1]
  }

  /// The program has ended: the processes that it left behind must not keep its terminal open.
  private mutating func noteEnd() {
    session.sweep()
    quietLimit = Deadline(after: .seconds(1))
  }
}
