import CPlatform
import Glibc

/// A file in memory that has taken the place of what the process has written, except its stack and anonymous
/// mappings, and is mapped privately there.
///
/// Thousands of living children share pages of a file instead of anonymous ones, which the kernel's walks from a page to
/// its users find one by one.
@_spi(Begat) public struct FileBackedMemory: ~Copyable {
  private var memory = platform_memory()
  /// Shows what of its memory the process has in its page tables.
  private let pages: Descriptor?

  /// Opens /proc/self/pagemap, which shows the pages in the process's page tables; nil where it cannot be opened.
  ///
  /// A process opens it before it gives up being dumpable: after that it belongs to root.
  public static func openPages() -> Descriptor? { try? Descriptor.open("/proc/self/pagemap", .readOnly) }

  /// Moves what the process has written so far.  It must have a single thread, and /proc.
  ///
  /// - Parameter pages: from `openPages`; without it, `leaveCleanPages` does nothing.
  public init(pages: consuming Descriptor?) throws(SystemCallError) {
    self.pages = pages
    var step: UnsafePointer<CChar>?
    guard platform_move_memory_to_file(&memory, &step) == -1, let step else { return }
    let call = String(cString: step)
    throw SystemCallError(call, on: call == "open" ? "/proc/self/maps" : "begat-memory", code: .current)
  }

  /// Makes a page one that the process has written, so that it stays in the page tables, and children have it from the
  /// fork instead of by a page fault, which brings 15 neighbours with it.
  public func keepPage(of place: UnsafeRawPointer) { platform_own_page(UnsafeMutableRawPointer(mutating: place)) }

  /// Keeps the page of variables that each fork needs, if the program's linker has put them side by side.
  public func keepHotPage() { platform_own_page(platform_hot_data()) }

  /// Takes pages that are as they are in the file out of the page tables.
  ///
  /// A fork copies the entry of each page that its process has touched, and the child's end removes it again: 0.07 µs.
  /// A process that has come to the end of its start touches few of those that the start has touched.
  public func leaveCleanPages() {
    switch pages {
    case .some(let pages): withUnsafePointer(to: memory) { platform_leave_clean_pages($0, pages.number) }
    case nil: break
    }
  }
}
