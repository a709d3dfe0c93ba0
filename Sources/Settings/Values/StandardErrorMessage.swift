import Glibc
@_spi(Begat) import UnixCore

/// Messages that a program writes to standard error itself, because its log is not open yet, or not any more.
public enum StandardErrorMessage {
  /// The number of a message's severity in syslog(3).
  public enum Priority: Int, Sendable {
    case error = 3
    case warning = 4
  }

  /// Whether the service manager reads standard error into its journal.
  ///
  /// Source: systemd.exec(5), JOURNAL_STREAM.
  public static var isInJournal: Bool {
    guard let text = getenv("JOURNAL_STREAM").map({ String(cString: $0) }) else { return false }
    var facts = stat()
    guard fstat(STDERR_FILENO, &facts) == 0 else { return false }
    return text == "\(facts.st_dev):\(facts.st_ino)"
  }

  /// Writes a message if it can be written immediately.
  public static func write(_ text: String, _ priority: Priority = .error, of program: String) {
    try? StandardError.tryWrite(lines(text, priority, of: program, isInJournal: isInJournal))
  }

  /// The lines of a message: with the program's name, or for the journal, which knows the name, with the priority.
  static func lines(_ text: String, _ priority: Priority, of program: String, isInJournal: Bool) -> String {
    let beginning = isInJournal ? "<\(priority.rawValue)>" : "\(program): "
    return text.split(separator: "\n").map { "\(beginning)\($0)\n" }.joined()
  }
}
