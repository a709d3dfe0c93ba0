import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// One of the FIFOs that stand at a server's path one after the other, with its writing end.
final class FIFOGeneration {
  var fifo: FIFO
  private var writer: Descriptor?
  /// By which its openings are announced; nil for one that stood there before the server.
  let watch: CInt?
  /// By which they are counted; nil where the system counts none.
  let identity: [UInt8]?
  /// What was announced, what was counted, and how many readers were found: each may miss some.
  var announced = Tally()
  var counted = Tally()
  var found = 0
  /// When it is looked at for late readers.
  var nextLook = Deadline.never
  var isLookedAtAgain = false

  /// How many have opened it, as far as is known.
  var openings: Int { max(announced.openings, counted.openings, found) }
  /// How many of these have closed it again.
  var closings: Int { max(announced.closings, counted.closings) }

  struct Tally {
    var openings = 0
    var closings = 0
  }

  /// Makes one under another name in the same directory.
  init(beside path: UnixPath, mode: mode_t, announcedBy watch: borrowing FileWatch, _ counter: borrowing OpeningCounter)
    throws(FIFO.OpenError)
  {
    let fifo: FIFO
    do throws(FIFO.OpenError) {
      fifo = try FIFO.make(at: path.parent.entry(path.lastName.temporaryName), mode: mode)
    } catch { throw error.named(path) }
    do throws(SystemCallError) {
      // Its own openings come before the watch: it announces those of others only.
      let writer = try fifo.heldWritingEnd()
      let number = try watch.add(fifo.ownPath, IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE)
      let identity = counter.add(fifo.ownPath)
      self.fifo = fifo
      self.writer = consume writer
      self.watch = number
      self.identity = identity
    } catch {
      fifo.removeIfOurs()
      throw FIFO.OpenError.call(error).named(path)
    }
  }

  /// A FIFO that a dead server left behind, if a process waits there.
  init?(left fifo: consuming FIFO) throws(FIFO.OpenError) {
    switch try opening({ () throws(SystemCallError) in try fifo.writingEnd() }) {
    case .some(let writer):
      self.writer = consume writer
      self.fifo = fifo
      watch = nil
      identity = nil
      announced.openings = 1
    case .none: return nil
    }
  }

  var hasReader: Bool { withWriter { $0.hasReader } ?? false }

  private func withWriter<Result>(_ body: (borrowing Descriptor) -> Result) -> Result? {
    switch writer {
    case .some(let writer): body(writer)
    case .none: nil
    }
  }

  /// Its readers see the end.
  func close() { writer = nil }

  /// Announces no more.
  func forget(_ watch: borrowing FileWatch, _ counter: borrowing OpeningCounter) {
    if let number = self.watch { watch.remove(number) }
    if identity != nil { counter.remove(fifo.ownPath) }
  }

  /// Whether readers have taken all that was written.
  var isDrained: Bool { withWriter { platform_unread_count($0.number) <= 0 } ?? true }

  /// Writes as far as a reader reads; false if no reader has got all of it.
  func write(_ text: [UInt8], until deadline: Deadline) -> Bool {
    let isWhole = withWriter { writer in
      text.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
          do throws(SystemCallError) {
            rest = rest.dropFirst(try writer.write(UnsafeRawBufferPointer(rebasing: rest)))
          } catch {
            // The reader has left, or reads too slowly.
            guard error.code == .wouldBlock, writer.wait(for: .writable, until: deadline) else { return false }
          }
        }
        return true
      }
    }
    return isWhole ?? false
  }

  /// Lets one in who had found this FIFO at the path and opens it only now: it would wait for a writer forever.
  ///
  /// - Returns: whether anybody has it open, or waits to open it.
  func letLateReadersIn() -> Bool {
    // Its own opening is announced and counted too.
    (announced, counted, found) = (Tally(openings: -1), Tally(openings: -1), 0)
    switch try? fifo.writingEnd() {
    case .some(let writer): self.writer = consume writer
    case .none: writer = nil
    }
    return hasReader
  }
}
