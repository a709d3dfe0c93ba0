import CSharedLayouts
import Glibc
@_spi(Begat) import UnixCore

/// A lock in memory that a listener shares with processes that it has forked and that admit clients too.
///
/// A holder that dies keeps it.  The listener, whose child it is, takes it over and repairs what was half changed.
package struct AdmissionLock {
  private let word: UnsafeMutablePointer<UInt32>

  /// - Parameter word: zeroed before its first use, at the same address in all processes.
  package init(at word: UnsafeMutablePointer<UInt32>) { self.word = word }

  /// After this time, in nanoseconds, the listener looks whether the holder lives.
  private static let patience: Int64 = 50_000_000
  /// After this many waits, five seconds, a holder is killed as one that was stopped: it needs microseconds.
  private static let maxWaits = 100

  /// Takes the lock.
  ///
  /// - Returns: whether its last holder has died with it.
  func take() -> Bool {
    var waits = 0
    while !begat_lock_take(word, AdmissionLock.patience) {
      let holder = begat_lock_holder(word)
      precondition(holder != getpid(), "the lock for admission is taken twice")
      waits += 1
      switch state(of: holder) {
      case .notAChild: break
      case .ended: if begat_lock_take_over(word, holder) { return true }
      case .living: if waits > AdmissionLock.maxWaits || Children.isStopped(holder) { kill(holder, SIGKILL) }
      }
    }
    return false
  }

  func giveBack() { begat_lock_give_back(word) }

  /// Takes the lock from a process that was reaped; false if that process does not hold it.
  func takeOver(from process: pid_t) -> Bool { begat_lock_take_over(word, process) }

  private enum HolderState {
    /// Only the listener has children.
    case notAChild
    case living
    case ended
  }

  private func state(of process: pid_t) -> HolderState {
    guard process > 0 else { return .notAChild }
    var information = siginfo_t()
    // __WALL: the exit signal of such a child is not SIGCHLD.
    let flags = WEXITED | WNOHANG | WNOWAIT | 0x4000_0000
    guard waitid(P_PID, id_t(process), &information, flags) == 0 else { return .notAChild }
    return information.si_signo == 0 ? .living : .ended
  }
}

extension UnsafeMutablePointer where Pointee == SourceTable {
  /// Does something to the table or the book while no other process does.
  @inline(__always)
  func locked<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let lock = pointee.lock else { return try body() }
    if lock.take() {
      // A holder that has died may have left chains or heap half changed.
      pointee.rebuild(now: .now) { _ in }
      pointee.isMiscounted = true
    }
    defer { lock.giveBack() }
    return try body()
  }
}

/// Admission by several processes of one listener.
extension Admission {
  /// From now on processes that are forked may share table and book, and every change is made under the lock.
  package func share(under lock: AdmissionLock) { table.pointee.lock = lock }

  /// Moves itself into its own memory, to the end of the process: where forked processes that inherit this memory find it.
  package consuming func settle() -> UnsafePointer<Admission> {
    precondition(MemoryLayout<Admission>.size <= Admission.roomOffset - Admission.ownOffset)
    let place = (UnsafeMutableRawPointer(table) + Admission.ownOffset).bindMemory(to: Admission.self, capacity: 1)
    place.initialize(to: self)
    return UnsafePointer(place)
  }

  /// Sets whether processes that are forked from now on have the memory of admission.
  package func setInherited(_ isInherited: Bool) throws(SystemCallError) { try memory.setInherited(isInherited) }

  /// Gives the memory up in a forked process, before it meets a client's bytes: nothing of this value, and nothing in
  /// `room`, may be used then.
  package func unmapInCopy() throws(SystemCallError) { try memory.unmapInCopy() }

  /// Looks at what a decision on a client of a source looks at, so that the pages are there when one comes.
  ///
  /// - Parameter number: the source's number, as reservations have it.
  /// - Returns: whether the client might be admitted; a result that is not used would not be looked for.
  package func rehearse(_ number: UInt32, now: Deadline) -> Bool {
    // Without the lock, for which clients would wait: nothing depends on the answer.
    let client = Client(address: .ipv4(.loopback, port: 0), prefix: limits.sourcePrefix)
    return wait(now: now) == nil && !isBanned(client, now) && table.pointee.contains(number)
  }

  /// Takes over a place that another process of this listener has reserved.
  ///
  /// - Parameter places: how many places the source had then.
  package func takeOver(source: UInt32, places: Int) -> Reservation {
    Reservation(in: table, source: source, places: places)
  }

  /// Does something while no other process admits a client.
  package func locked(_ body: () -> Void) { table.locked(body) }

  /// Counts the places of this listener anew if a process has died while it changed the counts.
  ///
  /// - Parameter process: was reaped.
  /// - Parameter forEachSource: calls its argument with the source of each place that is taken.
  package func repair(after process: pid_t, _ forEachSource: ((UInt32) -> Void) -> Void) {
    guard let lock = table.pointee.lock else { return }
    if lock.takeOver(from: process) {
      recount(forEachSource)
      lock.giveBack()
    } else if table.pointee.isMiscounted {
      locked { recount(forEachSource) }
    }
  }

  /// Counts the places of this listener anew; the caller has the lock.
  private func recount(_ forEachSource: ((UInt32) -> Void) -> Void) {
    let book = table.pointee.book
    book.clear(AdmissionColumns(Int(book.column)))
    forEachSource { source in
      book.begin(source)
      book.takePlace()
    }
    table.pointee.rebuild(now: .now) { _ in }
    table.pointee.isMiscounted = false
  }
}
