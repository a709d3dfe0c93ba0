import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The environment of begat's own programs: built, never inherited.
enum ProgramEnvironment {
  /// The administrator's choices that matter to them; everything else stays behind.
  private static let kept = ["TZ"]
  /// Lets a program write its messages as the journal reads them.
  private static let journalStream = "JOURNAL_STREAM"

  static func build() -> Program.Environment {
    let names = kept + (StandardErrorMessage.isInJournal ? [journalStream] : [])
    let own = names.map { name in (name, getenv(name).map { String(cString: $0) }) }
    return Program.Environment.custom(["PATH": ProgramSettings.searchPath])
      .updating(Dictionary(uniqueKeysWithValues: own))
  }
}

/// The file that this process executes.
enum ProgramFile {
  /// A path that executes this very program again, also after its file was replaced or removed.
  ///
  /// The file's own path where it still leads there, for the sake of the process's name.
  ///
  /// Source: proc_pid_exe(5).
  static var executable: String {
    let link = "/proc/self/exe"
    var running = stat()
    var present = stat()
    guard let own, stat(link, &running) == 0, stat(own, &present) == 0, running.st_dev == present.st_dev,
      running.st_ino == present.st_ino
    else { return link }
    return own
  }

  static var own: String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { room in
      let count = readlink("/proc/self/exe", room.baseAddress!, room.count)
      guard count > 0, count < room.count else { return nil }
      return String(decoding: UnsafeRawBufferPointer(room)[..<count], as: UTF8.self)
    }
  }
}
