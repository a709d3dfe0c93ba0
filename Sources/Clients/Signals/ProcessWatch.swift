import Glibc
@_spi(Begat) import UnixCore

/// Processes that are held until their end, all of them together.
final class ProcessWatch {
  /// Arrays cannot have handles.
  private final class Held {
    let handle: ProcessHandle
    init(_ handle: consuming ProcessHandle) { self.handle = handle }
  }

  private let processes: Int
  /// By their place in the list; those that have ended are not in it.
  private var held: [Int: Held] = [:]

  /// - Throws: `EMFILE` where there are more processes than this one may hold: a descriptor each.
  init(_ processes: [pid_t]) throws(SystemCallError) {
    self.processes = processes.count
    _ = ResourceLimit.openFiles.raise(to: UInt64(processes.count + 32))
    for (place, process) in processes.enumerated() {
      if try Liveness(of: process) == .gone { continue }
      do throws(SystemCallError) {
        let handle = try ProcessHandle(process)
        if !handle.hasEnded { held[place] = Held(handle) }
      } catch { if error.code != .noSuchProcess { throw error } }
    }
  }

  /// How many have not ended.
  var count: Int { held.count }

  /// Returns when all have ended, or at the deadline.
  func awaitEnds(until deadline: Deadline) throws(SystemCallError) {
    let poller = try Poller()
    for (place, process) in held { try poller.add(process.handle.descriptor.number, .readable, token: UInt64(place)) }
    while !held.isEmpty {
      var ended: [Int] = []
      poller.wait(milliseconds: deadline.milliseconds) { ended.append(Int($0.token)) }
      // Closing its one descriptor takes it out of the poller.
      for place in ended { held[place] = nil }
      if ended.isEmpty, deadline.isExpired { return }
    }
  }

  /// What each of them is now, in the order of the list.
  var states: [Liveness] { (0..<processes).map { held[$0]?.handle.liveness ?? .gone } }
}
