import Confinement
import Glibc
@_spi(Begat) import UnixCore

/// Writes messages of lines to a file.  A file that takes nothing is tried again until it does: meanwhile begatd's
/// messages gather in the channel, and when that is full, begatd drops and counts them.
struct LogWriter: ~Copyable {
  private let channel: Descriptor
  /// Announces that an order to open the file is on its way, for a writer that waits for room in the old one.
  private let hurry: SignalQueue
  /// How many lines are written.
  private let written: UnsafeMutablePointer<UInt64>
  private var file: Descriptor?
  private var path = ""
  /// How many bytes of an unfinished line the file has at its end.
  private var cutBytes = 0
  /// Until when lines are still written after begatd has ended.
  private var lastAttempt = Deadline.never

  private static let retryInterval: Duration = .milliseconds(200)
  /// How long a full file is tried after begatd's end.
  private static let finalPatience: Duration = .seconds(1)

  init(channel: consuming Descriptor, hurry: consuming SignalQueue, written: UnsafeMutablePointer<UInt64>) {
    self.channel = channel
    self.hurry = hurry
    self.written = written
  }

  mutating func run() {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    defer { room.deallocate() }
    while let count = try? channel.receive(into: room), count > 0 {
      let message = UnsafeRawBufferPointer(rebasing: room[..<count])
      if message.first == LogWriterProgram.openOrder {
        path = String(decoding: message.dropFirst(), as: UTF8.self)
        open()
      } else {
        write(message)
      }
    }
  }

  /// Opens the file; where that fails, the one before goes on.
  private mutating func open() {
    do throws(SystemCallError) {
      file = try LogWriterProgram.open(path)
      cutBytes = 0
      report(LogWriterProgram.opened)
    } catch { report("\(error)\(DaemonPrivileges.fileAdvice(error.code))") }
  }

  private func report(_ text: String) {
    var text = text
    text.withUTF8 { bytes in _ = try? channel.send(UnsafeRawBufferPointer(bytes), waiting: false) }
  }

  /// Writes lines, however long that takes.
  private mutating func write(_ lines: UnsafeRawBufferPointer) {
    var rest = lines
    while !rest.isEmpty {
      guard let count = writeSome(rest) else {
        guard awaitRoom() else { return }
        // The file was changed: the line that is begun there is written whole to the new one.
        if cutBytes < 0 {
          rest = UnsafeRawBufferPointer(rebasing: lines[(lines.count - rest.count + cutBytes)...])
          cutBytes = 0
        }
        continue
      }
      note(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Counts lines that are in the file.
  private mutating func note(_ bytes: UnsafeRawBufferPointer) {
    for byte in bytes {
      cutBytes += 1
      guard byte == UInt8(ascii: "\n") else { continue }
      cutBytes = 0
      written.pointee &+= 1
    }
  }

  /// Nil where the file takes nothing now.
  private func writeSome(_ bytes: UnsafeRawBufferPointer) -> Int? {
    switch file {
    case .some(let file): try? file.write(bytes)
    case nil: nil
    }
  }

  /// Waits a moment until the file may take more, or opens it anew if begatd wants that.
  ///
  /// - Returns: false if it is given up.
  private mutating func awaitRoom() -> Bool {
    if lastAttempt == .never, PollSet.readiness(of: channel.number, for: []).isEmpty == false {
      lastAttempt = Deadline(after: Self.finalPatience)
    }
    guard !lastAttempt.hasPassed else { return false }
    let wakes = hurry.descriptor.wait(for: .readable, until: Deadline(after: Self.retryInterval))
    guard wakes else { return true }
    while hurry.take() != nil {}
    moveToNewFile()
    return true
  }

  /// Opens the file anew in the middle of a line: its beginning is removed from the old file.
  private mutating func moveToNewFile() {
    let begun = cutBytes
    switch file {
    case .some(let old):
      var status = stat()
      if begun > 0, fstat(old.number, &status) == 0, status.st_size >= begun {
        guard ftruncate(old.number, status.st_size - off_t(begun)) == 0 else { return }
      }
    case nil: break
    }
    open()
    cutBytes = -begun
  }
}
