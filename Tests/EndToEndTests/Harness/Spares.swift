import CSharedLayouts
import Foundation
@_spi(Begat) import UnixCore

@testable import Admission

/// The spares of a listener.
struct Spares {
  let listener: pid_t

  init(of listener: pid_t) { self.listener = listener }

  /// Those that have told ps what they are; they wait for clients, or are about to.
  var all: [ProcessFacts] { ProcessFacts.children(of: listener).filter { $0.isSpare && !$0.isZombie } }

  /// Lets clients come until this number of spares waits.
  ///
  /// - Parameter visit: a number of clients at the same time, which then leave.
  func grow(to count: Int, within limit: Duration = .seconds(20), _ visit: () throws -> Void) throws -> [ProcessFacts] {
    let deadline = Deadline(within: limit)
    while !deadline.hasPassed {
      try visit()
      if eventually(within: .milliseconds(300), { all.count == count && areAsleep }) { return all }
    }
    throw HarnessFailure("\(all.count) spares, not \(count)")
  }

  /// The process of a connection to the command server, a former spare or not.
  func process(serving client: Client) throws -> pid_t {
    let title = "begat-listener: command \(try client.address())"
    guard let facts = ProcessFacts.children(of: listener).first(where: { $0.title == title }) else {
      throw HarnessFailure("no process “\(title)”")
    }
    return facts.process
  }

  /// Whether all of them wait.
  var areAsleep: Bool { all.allSatisfy { ProcessFacts($0.process)?.state == "S" } }

  /// How often each has begun to wait for something.
  static func switches(of process: pid_t) -> Int? {
    ProcessFacts.statusLine("voluntary_ctxt_switches", of: process).flatMap { Int($0) }
  }

  /// Waits until spares are there, and none is being made.
  func awaitSome() throws -> [pid_t] {
    var found: [pid_t] = []
    let areThere = eventually {
      let former = found
      found = all.map(\.process)
      return !found.isEmpty && found == former && areAsleep
    }
    guard areThere else { throw HarnessFailure("no spares: \(found)") }
    return found
  }

  // MARK: - The memory that they share with their listener

  #if arch(x86_64)
    static let canBeProbed = Machine.isRoot
  #else
    static let canBeProbed = false
  #endif

  /// Lets a waiting spare look as if it held the lock for admission.
  static func takeLock(_ spare: pid_t) throws { try write(UInt32(spare), at: try board(of: spare), in: spare) }

  /// Counts places of the service, of its first listener, wrongly: as a spare does that dies while it counts.
  static func countPlaces(_ count: UInt32, by spare: pid_t) throws {
    guard let book = try mappings(of: spare).first(where: { $0.text.contains("begat-admission") }) else {
      throw HarnessFailure("no book of admission")
    }
    let offset = AdmissionBook.connectionsOffset + MemoryLayout<begat_book>.offset(of: \.active)!
    try write(count, at: book.start + UInt(offset), in: spare)
  }

  /// Lets a process that serves a client look like a spare that still has the listening sockets.
  ///
  /// - Parameter number: that of no spare.
  /// - Parameter waiting: a spare, which has the memory.
  static func keepSockets(_ process: pid_t, as number: Int, by waiting: pid_t) throws {
    let claim = try board(of: waiting) + UInt(BEGAT_SPARES_HEADER_SIZE + number * MemoryLayout<begat_claim>.stride)
    func set(_ field: PartialKeyPath<begat_claim>, _ value: UInt32) throws {
      try write(value, at: claim + UInt(MemoryLayout<begat_claim>.offset(of: field)!), in: waiting)
    }
    try set(\.pid, UInt32(process))
    try set(\.has_left, 0)
    try set(\.is_taken, 1)
    try set(\.state, UInt32(BEGAT_SPARE_ADMITTED))
  }

  private static func write(_ number: UInt32, at address: UInt, in spare: pid_t) throws {
    let fills = (0..<4).map { ["fill", "\(address + UInt($0))", "1", "\(number >> (8 * UInt32($0)) & 255)"] }
    _ = try TestPrograms.call(in: spare, fills)
  }

  /// The board that a waiting spare shares with its listener, in the mapping of admission's table; the lock is its first
  /// word.
  private static func board(of spare: pid_t) throws -> UInt {
    let shared = try mappings(of: spare).filter { $0.text.contains(" rw-s ") && $0.text.contains("/dev/zero") }
    // A listener without begatd has its own book, which the table follows.
    guard let table = shared.last, shared.count == 1 || shared.count == 2 && shared[0].end == table.start else {
      throw HarnessFailure("\(shared.count) shared mappings")
    }
    return table.start + UInt(Admission.roomOffset)
  }

  private static func mappings(of process: pid_t) throws -> [(start: UInt, end: UInt, text: Substring)] {
    try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).split(separator: "\n").compactMap { line in
      let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
      return ends.count == 2 ? (ends[0], ends[1], line) : nil
    }
  }
}
