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
