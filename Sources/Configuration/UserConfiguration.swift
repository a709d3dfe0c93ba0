import Confinement
import Glibc

/// The place of a user's own configuration.
enum UserConfiguration {
  /// `$XDG_CONFIG_HOME/begat/begatd.toml`, else `~/.config/begat/begatd.toml`, whether the file exists or not.
  ///
  /// Root and a begatd with capabilities use the machine's configuration: otherwise programs of begatd's user could decide
  /// how it uses its capabilities.
  ///
  /// Source: XDG Base Directory Specification.
  static func file(
    of user: uid_t, _ capabilities: Capabilities,
    variable: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
  ) -> String? {
    guard user != 0, capabilities.isEmpty else { return nil }
    // The specification says to ignore relative paths.
    func path(_ name: String) -> String? { variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil } }
    return (path("XDG_CONFIG_HOME") ?? path("HOME").map { "\($0)/.config" }).map { "\($0)/begat/begatd.toml" }
  }
}
