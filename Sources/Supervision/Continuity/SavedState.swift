import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// How the descriptors that outlive a begatd belong together: a document, which refers to them by `KeptName`.
///
/// It says only what the descriptors themselves do not.  What was written by another version is read as far as it is
/// understood: members that are unknown are ignored, and missing ones have the values of an empty state.
struct SavedState: Hashable {
  /// A document of a later format is refused.
  static let format = 1

  /// The version of the begatd that has written it.
  var program = BegatVersion.text
  /// Its number in `KeptName.state`, which is not written.
  var number: UInt64 = 0
  /// The number of the table of bans in `KeptName.bans`.
  var bans: UInt64 = 0
  var sockets: [Socket] = []
  /// The services that are offered, then those that are given up and have listeners, then those that have only counts: one
  /// name may stand several times.
  var services: [Service] = []
  /// The numbers of services in the table of bans.
  var serviceNumbers: [ServiceNumber] = []

  /// A socket that begatd has bound.
  struct Socket: Hashable {
    /// As `KeptName` writes it.
    var name: String
    var service: String
    /// As configured, where the configuration leaves the port to the kernel.
    var wanted: SocketAddress?
    /// The file of a Unix socket.
    var file: File?
  }

  struct File: Hashable {
    var device: UInt64
    var inode: UInt64
  }

  struct ServiceNumber: Hashable {
    var service: String
    var number: UInt32
  }

  struct Service: Hashable {
    var name: String
    /// The number of the generation that was started last.
    var lastGeneration: UInt64 = 0
    /// Whether it accepts no clients until it is resumed.
    var isDrained = false
    /// When it began to be offered, CLOCK_MONOTONIC nanoseconds; nil where that is not known.
    var startTime: Int64?
    /// When it will close, CLOCK_MONOTONIC nanoseconds; nil unless it has announced that.
    var closingTime: Int64?
    /// How much of a client's address may be written down.
    var logAddress = LogAddress.full
    /// Whether its program accepts clients itself.
    var waits = false
    /// The counts of generations that have ended.
    var totals = ServiceCounters()
    var generations: [Generation] = []
  }

  struct Generation: Hashable {
    var number: UInt64
    var process: Int32
    /// Its column in the admission book.
    var column: Int
    /// How many connections its scoreboard has room for.
    var slotCount: Int
    var state = Supervision.Generation.State.starting
    /// CLOCK_MONOTONIC nanoseconds.
    var startTime: Int64 = 0
    /// When it was ready, as `startTime`; nil if it was not.
    var readySince: Int64?
    /// Records that it has delivered; nil where they were not counted up to its second channel.
    var recordsReceived: UInt64?
    /// Whether its connection processes show the state of begatd.
    var showsState = false
    /// The addresses of its listening sockets, by their numbers in the listener.
    var sockets: [SocketName] = []
  }

  struct SocketName: Hashable {
    var number: Int32
    var address: String
  }
}
