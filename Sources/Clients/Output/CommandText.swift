@_spi(Begat) import UnixCore

/// Texts that are printed before a command has begun: help, the version, errors of the command line.
public enum CommandText {
  /// - Returns: whether it could be written; if not, that is reported.
  public static func print(_ text: String) -> Bool {
    CommandRun(command: "begat").attempt(failure: false) {
      try StandardStream.say(text)
      return true
    }
  }

  /// A line on standard error.
  public static func complain(_ line: String) { StandardStream.complain(line) }
}
