import ControlProtocol
import Glibc
@_spi(Begat) import UnixCore

/// One listener process of a service, from its start to its end.
///
/// At most four of a service live at the same time; one of them accepts clients.
final class Generation {
  /// How far it has come.  The states follow each other; a listener may end in any of them.
  enum State: Comparable, CaseIterable {
    /// It reads its files.
    case starting
    /// It could accept, and waits for the former generation to stop.
    case ready
    case accepting
    /// It was asked to accept no more.
    case retiring
    /// It has closed its listening sockets, and lets its connections end.
    case retired
  }

  /// Counts the generations of a service, from 1.
  let number: UInt64
  let process: pid_t
  /// Whether it is a child of this process, which reaps it.  The end of another one shows itself by the end of its channel.
  let isChild: Bool
  /// The process of one that is no child; nil if it could not be had for sure.
  private let handle: ProcessHandle?
  /// Whether a former begatd has started it.
  let isAdopted: Bool
  let channel: Descriptor
  /// begatd's end of its second channel, which outlives begatd; nil if it has none.
  let keptChannel: SharedFile?
  /// Its column in the service's admission book.
  let column: Int
  /// The resolver's end of the socket at which its connection processes ask for names; nil if they do not.
  let nameRequests: SharedFile?
  /// Its scoreboard.
  let board: ScoreboardReader
  /// The memory object of that, for listeners that show it.
  let boardFile: SharedFile
  /// The number of its scoreboard in the state page: no other generation of this begatd has it.
  let boardNumber: UInt32
  /// Whether its connection processes show the state of begatd.
  let showsState: Bool
  /// Whether the memory object can be given away: no other process can write to it.
  var isBoardSealed = false
  /// Whose connections it reports.
  let source: RecordSource
  /// Records of ended connections that it has delivered.
  var recordsReceived: UInt64 = 0
  /// Whether it is of another version, whose records cannot be read.
  var sendsForeignRecords = false
  var state = State.starting
  /// CLOCK_MONOTONIC nanoseconds.
  let startTime: Int64
  /// When it said that it is ready, CLOCK_MONOTONIC nanoseconds; nil before that.
  var readySince: Int64?
  /// Until when it has time to become ready.
  var startDeadline = SystemClock.monotonic() + Supervisor.startPatience
  /// When it is killed because it has not obeyed an order to end; nil if there was none.
  var endDeadline: Int64?
  /// When it is killed unless it has closed its sockets, where a former begatd has left it behind; nil for all others.
  var retirementDeadline: Int64?
  /// Whether begatd has killed it, or left it alone because it cannot.
  var isKilled = false
  /// Whether begatd could not kill it and waits for its end no more.
  private(set) var isLeftAlone = false
  var inquiry = Inquiry()
  var token: PollTable.Token?
  /// Messages that wait for room in the channel.
  var outbox = Outbox()

  init(
    number: UInt64, process: pid_t, channel: consuming Descriptor, keptChannel: SharedFile?, column: Int,
    nameRequests: SharedFile?, board: ScoreboardReader, boardFile: SharedFile, boardNumber: UInt32, showsState: Bool,
    source: RecordSource
  ) {
    isChild = true
    handle = nil
    isAdopted = false
    startTime = SystemClock.monotonic()
    self.keptChannel = keptChannel
    self.boardFile = boardFile
    self.boardNumber = boardNumber
    self.showsState = showsState
    self.source = source
    self.number = number
    self.process = process
    self.channel = channel
    self.column = column
    self.nameRequests = nameRequests
    self.board = board
  }

  /// One that a former begatd has started.
  ///
  /// - Parameter handle: its process; nil for a child, and where it could not be had.
  init(
    adopting saved: SavedState.Generation, channel: consuming Descriptor, keptChannel: SharedFile?, isChild: Bool,
    handle: consuming ProcessHandle?, nameRequests: SharedFile?, board: ScoreboardReader, boardFile: SharedFile,
    boardNumber: UInt32, source: RecordSource
  ) {
    self.isChild = isChild
    self.handle = handle
    isAdopted = true
    number = saved.number
    process = saved.process
    column = saved.column
    startTime = saved.startTime
    readySince = saved.readySince
    showsState = saved.showsState
    self.channel = channel
    self.keptChannel = keptChannel
    self.nameRequests = nameRequests
    self.board = board
    self.boardFile = boardFile
    self.boardNumber = boardNumber
    self.source = source
  }

  /// Until when it may take to close sockets that the configuration has given up, CLOCK_MONOTONIC nanoseconds.
  var closingDeadline: Int64 = 0

  /// Whether it may still have sockets that it is to close.
  func isClosingSockets(at now: Int64) -> Bool { state == .retiring || isKilled || now < closingDeadline }

  var isReady: Bool { state >= .ready }

  func isLate(_ now: Int64) -> Bool { !isReady && !isKilled && now >= startDeadline }

  /// Sends a signal to it, and to no other process that has its number by now.
  func send(_ signal: Signal) throws(SystemCallError) {
    guard !isChild else { return try signal.send(to: process) }
    switch handle {
    case .some(let handle): try handle.send(signal)
    case nil: throw SystemCallError("pidfd_open", on: "\(process)", code: .noFunction)
    }
  }

  /// Ends it and its connections immediately; its death comes as a signal.
  ///
  /// One that cannot be killed loses its channel: it takes that for the end of begatd, and ends by itself if it turns.
  ///
  /// - Returns: why it cannot be killed; nil if it was.
  func kill() -> SystemCallError? {
    isKilled = true
    do throws(SystemCallError) { try send(.kill) } catch {
      guard error.code != .noSuchProcess else { return nil }
      isLeftAlone = true
      try? channel.shutDownSending()
      return error
    }
    return nil
  }

  /// Whether it was ended by another process's signal, not by a fault of its own.
  func wasEndedFromOutside(_ status: ExitStatus) -> Bool {
    guard isReady, !isKilled else { return false }
    return switch status {
    // It drains when it is told to, and ends well.
    case .exited(let code): code == 0
    case .killed(let signal, let dumpedCore): !dumpedCore && !Generation.crashes.contains(signal)
    case .unknown: false
    }
  }

  private static let crashes = [SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ].map(
    Signal.init(rawValue:))
}
