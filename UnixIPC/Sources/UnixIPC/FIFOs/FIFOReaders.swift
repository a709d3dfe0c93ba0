import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Who else has a FIFO open for reading, as far as /proc tells this user: own processes, for root all.
///
/// A FIFO opened once may be held by several processes, as by a shell and the command that reads for it; that is one
/// reader.
///
/// Source: proc(5), kcmp(2).
struct FIFOReaders {
  private struct Reader {
    /// Each process that holds this opening, with its numbers for it.
    var holders: [(process: pid_t, descriptors: [CInt])]
  }

  private var readers: [Reader] = []
  /// Whether openings held by several processes were told from several openings.
  private(set) var areDistinct = true

  /// Looks at all processes, which takes milliseconds where there are many.
  init(of fifo: borrowing FIFO) {
    for process in NumberedEntries.of("/proc") ?? [] where process != getpid() {
      for number in NumberedEntries.of("/proc/\(process)/fd") ?? [] {
        if FIFOReaders.reads(process, number, fifo) { add(process, number) }
      }
    }
  }

  var count: Int { readers.count }

  private mutating func add(_ process: pid_t, _ number: CInt) {
    for index in readers.indices {
      guard let known = readers[index].holders.first, let descriptor = known.descriptors.first else { continue }
      let isSame = platform_is_same_open_file(known.process, descriptor, process, number)
      if isSame == -1 { areDistinct = false }
      guard isSame == 1 else { continue }
      if let holder = readers[index].holders.firstIndex(where: { $0.process == process }) {
        readers[index].holders[holder].descriptors.append(number)
      } else {
        readers[index].holders.append((process, [number]))
      }
      return
    }
    readers.append(Reader(holders: [(process, [number])]))
  }

  private static func reads(_ process: pid_t, _ number: CInt, _ fifo: borrowing FIFO) -> Bool {
    let link: UnixPath = "/proc/\(process)/fd/\(number)"
    guard let file = try? FileMetadata(at: link, followingLinks: true), fifo.isThis(file.native) else { return false }
    // The link's own permissions tell what it was opened for.
    return ((try? FileMetadata(at: link))?.native.st_mode ?? 0) & S_IRUSR != 0
  }

  /// Forgets who has closed it, and says what the others do: the least of them, `reads` when all wait for a text.
  mutating func look(at fifo: borrowing FIFO) -> ThreadActivity {
    var least = ThreadActivity.reads
    var present: [Reader] = []
    for reader in readers {
      let holders = reader.holders.filter { FIFOReaders.reads($0.process, $0.descriptors[0], fifo) }
      guard !holders.isEmpty else { continue }
      present.append(Reader(holders: holders))
      let activity = holders.map { FIFOReaders.activity($0.process, $0.descriptors) }.max() ?? .sleeps
      // A running reader will read soon, so it gets more time than a sleeping one.
      if activity == .runs || least == .reads { least = activity }
    }
    readers = present
    return least
  }

  private static func activity(_ process: pid_t, _ descriptors: [CInt]) -> ThreadActivity {
    let threads = NumberedEntries.of("/proc/\(process)/task") ?? []
    return threads.compactMap { ThreadActivity(of: $0, in: process, reading: descriptors) }.max() ?? .sleeps
  }
}
