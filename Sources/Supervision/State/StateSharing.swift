import ControlProtocol
import Monitoring
@_spi(Begat) import UnixCore

/// The page that shows begatd's state to listeners of `status` and `haproxy-agent`, and the scoreboards that it names.
struct StateSharing {
  /// Nil while no listener needs it.
  var page: StatePage?
  /// The state that the page shows.
  var shown: DaemonState?
  /// Scoreboards of listeners that have ended, which the page may still name.
  private(set) var endedBoards: [UInt32] = []
  /// The denials that were listed last, when the table of bans had changed so often.
  var denials: (changes: UInt32, limit: Int, list: [DenialState])?
  /// Failures of making a page that has room enough.
  var retry = Retry()
  private var lastBoard: UInt32
  private var nextLook: Int64 = 0
  private var isLookWanted = false

  /// - Parameter lastBoard: the number of the last scoreboard that was taken over.
  init(lastBoard: UInt32) { self.lastBoard = lastBoard }

  /// The page has room for some fifty services before it must be replaced by a larger one.
  static let firstCapacity = 64 << 10
  /// More denials are counted only.
  static let maxDenials = 1000
  /// How often the state is looked at in a storm of changes, in nanoseconds.
  private static let interval: Int64 = 200_000_000

  /// None is used twice.
  mutating func nextBoardNumber() -> UInt32 {
    lastBoard += 1
    return lastBoard
  }

  /// Something may have changed.
  ///
  /// - Returns: whether the state is to be looked at now; if not, it is at `nextTime`.
  mutating func takesLook(at now: Int64) -> Bool {
    isLookWanted = now < nextLook
    guard !isLookWanted else { return false }
    nextLook = now + StateSharing.interval
    return true
  }

  /// When a look is due that had to wait, CLOCK_MONOTONIC nanoseconds; nil if none had.
  var nextTime: Int64? { isLookWanted ? nextLook : nil }

  /// Notes that a listener has ended.
  mutating func noteEnd(of generation: Generation) {
    if page != nil, generation.isBoardSealed { endedBoards.append(generation.boardNumber) }
  }

  /// The scoreboards that the page does not name any more.
  mutating func takeEndedBoards() -> [UInt32] {
    defer { endedBoards = [] }
    return endedBoards
  }

  /// Lets go of everything: no listener shows it any more.
  mutating func end() {
    page = nil
    shown = nil
    denials = nil
    endedBoards = []
    isLookWanted = false
  }
}
