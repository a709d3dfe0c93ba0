import Glibc

/// The directory of begat's own sockets, `%t` in a configuration.
public enum RuntimeDirectory {
  /// `$RUNTIME_DIRECTORY`, else `/run/begat` for root, else `$XDG_RUNTIME_DIR/begat`, else `/tmp/begat-UID`.
  ///
  /// Source: RuntimeDirectory= in systemd.exec(5); XDG Base Directory Specification.
  public static var path: String { path(user: geteuid()) { name in getenv(name).map { String(cString: $0) } } }

  package static func path(user: uid_t, variable: (String) -> String?) -> String {
    // systemd separates several directories by colons.
    if let given = variable("RUNTIME_DIRECTORY")?.split(separator: ":").first, given.hasPrefix("/") {
      return String(given)
    }
    if user == 0 { return "/run/begat" }
    if let session = variable("XDG_RUNTIME_DIR"), session.hasPrefix("/") { return "\(session)/begat" }
    return "/tmp/begat-\(user)"
  }
}
