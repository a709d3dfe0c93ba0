import Glibc
import JSON
import Settings
@_spi(Begat) import UnixCore

/// All that a program of begatd hands to the program that takes its process: descriptors, by the numbers that they have
/// there, and what no descriptor says.
///
/// It is a document of its own beside `SavedState`, which knows names only: the child that tries a new program has the same
/// descriptors under other numbers.
struct Succession: Hashable {
  /// A document of another format is refused.
  static let format = 1

  /// The version of the begatd that hands over.
  var version = BegatVersion.text
  /// What outlives begatd, by the names of `KeptName`, the saved state among it.
  var kept: [Named] = []
  /// The names of those that the service manager has in its store; nil if it has none.
  var stored: [String]?
  /// The sockets that the service manager passed, by their names there.
  var passed: [Named] = []
  var doors: [Door] = []
  /// The connection of the command that waits for the upgrade; nil if it is gone.
  var asker: CInt?
  /// The programs of the begatd that hands over, which are executed again if the next one cannot go on.
  var begatd = Held()
  var listener = Held()
  /// The path at which a further upgrade looks for its program.
  var upgradePath = ""
  /// Whether the terminal was left.
  var isDetached = false
  /// When begatd began, CLOCK_MONOTONIC nanoseconds.
  var startTime: Int64 = 0
  /// Reloads that were put in force, and that were refused.
  var reloads: UInt64 = 0
  var refusedReloads: UInt64 = 0
  /// Services that were drained when the configuration gave them up.
  var keptDrains: [String] = []

  /// A descriptor and its name.
  struct Named: Hashable {
    var name: String
    var number: CInt
  }

  /// A program that is held open.
  struct Held: Hashable {
    var path: String
    var number: CInt = -1

    init(path: String = "", number: CInt = -1) {
      self.path = path
      self.number = number
    }

    init(_ program: HeldProgram) { self.init(path: program.path, number: program.number) }
  }

  /// A control socket.
  struct Door: Hashable {
    var path: String
    var number: CInt
    var takesOrders: Bool
    var device: UInt64
    var inode: UInt64
  }

  /// Every descriptor that is handed over.
  var numbers: [CInt] {
    (kept + passed).map(\.number) + doors.map(\.number) + [asker].compactMap { $0 } + [begatd.number, listener.number]
  }

  /// The same descriptors under other numbers.
  func renumbered(_ number: (CInt) -> CInt) -> Succession {
    var other = self
    other.kept = kept.map { Named(name: $0.name, number: number($0.number)) }
    other.passed = passed.map { Named(name: $0.name, number: number($0.number)) }
    other.doors = doors.map { door in
      var door = door
      door.number = number(door.number)
      return door
    }
    other.asker = asker.map(number)
    other.begatd.number = number(begatd.number)
    other.listener.number = number(listener.number)
    return other
  }
}
