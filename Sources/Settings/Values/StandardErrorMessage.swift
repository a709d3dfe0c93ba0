import Glibc
@_spi(Begat) import UnixCore

/// Messages that a program writes to standard error itself, because its log is not open yet, or not any more.
public enum StandardErrorMessage {
  /// Whether the service manager reads standard error into its journal.
  ///
  /// Source: systemd.exec(5), JOURNAL_STREAM.
  public static var isInJournal: Bool {
    guard let text = getenv("JOURNAL_STREAM").map({ String(cString: $0) }) else { return false }
    var status = stat()
    guard fstat(STDERR_FILENO, &status) == 0 else { return false }
    return text == "\(status.st_dev):\(status.st_ino)"
  }

  /// Writes a message if it can be written immediately.
  public static func write(_ text: String, _ severity: Severity = .error, of program: String) {
    try? StandardError.tryWrite(lines(text, severity, of: program, isInJournal: isInJournal))
  }

  /// The lines of a message: with the program's name, or for the journal, which knows the name, with the severity.
  public static func lines(_ text: String, _ severity: Severity, of program: String, isInJournal: Bool) -> String {
    let beginning = isInJournal ? "<\(severity.rawValue)>" : "\(program): "
    return text.split(separator: "\n").map { "\(beginning)\($0)\n" }.joined()
  }
}
