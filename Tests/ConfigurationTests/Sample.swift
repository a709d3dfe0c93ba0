import Glibc
@_spi(Begat) import UnixCore

@testable import Configuration

extension Surroundings {
  /// Where nothing of the machine that runs the tests shows.
  static func sample(user: uid_t = 0, systemFile: String = "/nonexistent/begatd.toml") -> Surroundings {
    Surroundings(
      identity: Identity(user: user, group: user), systemFile: systemFile, runtimeDirectory: "/run/begat",
      identities: user == 0 ? .inMemory() : nil)
  }
}

extension Configuration {
  /// The text as the only file, called `t.toml`.
  static func sample(
    _ text: String, user: uid_t = 0
  ) throws(ConfigurationProblems) -> Configuration { try sample(bytes: Array(text.utf8), user: user) }

  static func sample(bytes: [UInt8], user: uid_t = 0) throws(ConfigurationProblems) -> Configuration {
    try read(
      [ConfigurationFiles.Text(file: "t.toml", bytes: bytes)], source: "t.toml", in: .sample(user: user))
  }

  /// The lines that tell what is wrong with the text; none when nothing is.
  static func problems(_ text: String, user: uid_t = 0) -> [String] {
    do throws(ConfigurationProblems) {
      _ = try sample(text, user: user)
      return []
    } catch { return error.problems.map(\.description) }
  }

  /// The lines that tell what is wrong with files.
  static func problems(file: String?, in surroundings: Surroundings) -> [String] {
    do throws(ConfigurationProblems) {
      _ = try load(file: file, in: surroundings)
      return []
    } catch { return error.problems.map(\.description) }
  }
}

/// A line about a key of a table, made of its column, its key and what is wrong: `9: user: expected …`.
func located(_ text: String, line: Int, in table: String) -> String {
  let parts = text.split(separator: " ", maxSplits: 1)
  return "t.toml:\(line):\(parts[0]) \(table)\(parts[1])"
}
