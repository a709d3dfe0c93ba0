import CPlatform

/// A user's login at a terminal.
///
/// The texts are as other programs wrote them: untrusted.
@_spi(Begat) public struct Login: Hashable, Sendable {
  /// The user's name.
  public let user: UntrustedBytes
  /// The terminal, such as `pts/0`.
  public let line: UntrustedBytes
  /// The host from which the user has logged in; empty for a local login.
  public let host: UntrustedBytes
  /// The time of the login, in seconds since 1970-01-01 00:00 UTC.
  public let since: Int64
}

/// The machine's record of logins.
///
/// Source: utmp(5).
@_spi(Begat) public enum Logins {
  /// The file that holds the record.
  public static let path = "/var/run/utmp"

  /// All logins now, at most 1,000; none where the machine keeps no record.
  public static func current() -> [Login] {
    var logins: [Login] = []
    var native = platform_login()
    platform_rewind_logins()
    while logins.count < 1000, platform_next_login(&native) {
      logins.append(
        Login(
          user: text(&native.user), line: text(&native.line), host: text(&native.host), since: native.since))
    }
    return logins
  }

  /// A C array that ends in NUL.
  private static func text<Characters>(_ characters: inout Characters) -> UntrustedBytes {
    withUnsafeBytes(of: &characters) { bytes in
      UntrustedBytes(UnsafeRawBufferPointer(rebasing: bytes.prefix { $0 != 0 }))
    }
  }
}
