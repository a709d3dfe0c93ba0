@_spi(Begat) import UnixCore

/// Keeps the page tables small that each fork of the listener copies.
struct ListenerMemory: ~Copyable {
  private var pages: Descriptor?
  private var file: FileBackedMemory?
  private let threadPages: UnsafeMutableRawBufferPointer
  private var forks = 0

  /// The pages are checked again after this many forks: a reload or an order touches many that no connection needs.
  private static let forksBetweenLooks = 1000

  /// - Parameter pages: see `FileBackedMemory.openPages`.
  /// - Parameter threadPages: see `PrivateStack.leaveThreadVariables`.
  init(pages: consuming Descriptor?, threadPages: UnsafeMutableRawBufferPointer) {
    self.pages = pages
    self.threadPages = threadPages
  }

  /// Prepares the memory for forks, when the start has done all that needs /proc.
  ///
  /// - Parameter process: what each connection process reads.
  mutating func settle(_ process: Unmanaged<ConnectionProcess>) throws(SystemCallError) {
    Heap.trim()
    let hasNoSequences = ProcessControl.endRestartableSequences()
    let memory = try FileBackedMemory(pages: pages.take())
    memory.keepPage(of: process.toOpaque())
    memory.keepHotPage()
    file = consume memory
    // A child without the area of its restartable sequences is ended by SIGSEGV.
    guard hasNoSequences else { return }
    // Only now: the move has mapped these pages anew.
    PrivateStack.leaveThreadVariables(in: threadPages)
  }

  /// Removes pages from the page tables that a fork need not copy.
  func leaveCleanPages() {
    switch file {
    case .some(let file): file.leaveCleanPages()
    case nil: break
    }
  }

  mutating func noteFork() {
    forks += 1
    guard forks == Self.forksBetweenLooks else { return }
    forks = 0
    leaveCleanPages()
  }
}
