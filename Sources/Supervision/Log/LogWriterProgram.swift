import Confinement
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The program that writes a log file: begatd executed again, with two descriptors.
public enum LogWriterProgram {
  private static let channelNumber: CInt = 3
  private static let counterNumber: CInt = 4
  /// Begins a message that orders to open the file whose path follows; no line begins so.
  static let openOrder: UInt8 = 1
  /// The report that it was opened; any other one says why it was not.
  static let opened = "opened"
  static let counterSize = 4096
  /// Only its owner and group read what clients do.
  private static let mode: mode_t = 0o640

  /// Writes what begatd sends until begatd ends and all is written.
  public static func run() -> CInt {
    HeldProgram.takeName()
    // A file at its size limit is full, and no reason to die.
    for signal in [Signal.fileSizeLimit, .brokenPipe] { signal.ignore() }
    do throws(SystemCallError) {
      // Before the file is opened for the first time: what cannot be opened later is not opened now.
      try Privileges.giveUp(becoming: nil, keeping: [])
      let counter = try MemoryMapping.file(try Descriptor(adopting: counterNumber), size: counterSize, writable: true)
      var writer = LogWriter(
        channel: try Descriptor(adopting: channelNumber), hurry: try SignalQueue(SignalSet(.user1)),
        written: counter.unsafeBytes.baseAddress!.assumingMemoryBound(to: UInt64.self))
      writer.run()
      return 0
    } catch {
      StandardErrorMessage.write("log: \(error)", of: "begatd")
      return 1
    }
  }

  /// Opens a log file to append to it.
  static func open(_ path: String) throws(SystemCallError) -> Descriptor {
    try Descriptor.open(path, [.writeOnly, .append, .create], mode: mode)
  }
}
