import Settings

/// The manual page begatd.toml(5).
///
/// Source: mdoc(7).
public enum ConfigurationManual {
  public static var text: String {
    var text = """
      .\\" Generated from the keys of Sources/Settings by `make references`.
      .Dd November 27, 2026
      .Dt BEGATD.TOML 5
      .Os begat
      .Sh NAME
      .Nm begatd.toml
      .Nd configuration of begatd
      .Sh DESCRIPTION
      .Xr begatd 8
      reads the file given by
      .Fl -config ,
      else
      .Pa /etc/begat/begatd.toml ,
      else a copy of the annotated default that it carries.
      An ordinary user's begatd first looks for
      .Pa $XDG_CONFIG_HOME/begat/begatd.toml ,
      or
      .Pa ~/.config/begat/begatd.toml
      if that variable is unset.
      The files
      .Pa conf.d/*.toml
      beside it are read too, in the order of their names; no table may be defined in two files.
      The form is TOML 1.0.
      No key takes a date or a floating-point number.
      .Pp
      .Ql begat check
      shows everything that is wrong with a configuration, with line and column, or which settings result from it;
      .Ql begat check --from ADDRESS SERVICE
      shows what would happen to a client, and which line decides.
      .Pp
      The options of
      .Xr begat-listener 8
      have the same names, and their values are written in the same way without quotes.
      .Bd -literal -offset indent
      [service.hello]
      serve = "hello"
      listen-stream = ["127.0.0.1:2345", "%t/catsock"]
      max-connections = 100

      [service.git]
      exec = ["/usr/bin/git", "daemon", "--inetd", "--base-path=/srv/git"]
      listen-stream = ["9418"]
      rate-per-source = "20/m"
      allow = ["192.0.2.0/24", "2001:db8::/32"]
      .Ed
      .Sh THE TABLE [daemon]
      .Bl -tag -width indent

      """
    for key in DaemonSettings.keys { text += entry(key) }
    text += """
      .El
      .Sh THE TABLES [service.NAME] AND [defaults]
      The name of a service has 1 to 64 letters, digits,
      .Ql -
      and
      .Ql _ ,
      a letter first;
      .Dq names
      is begatd's own.
      Settings of
      .Li [defaults]
      hold for every service whose own table has no others.
      In a service's table a key without effect is an error; in
      .Li [defaults]
      it applies to the services it fits.

      """
    for group in ServiceSettings.groups {
      text += ".Ss \(group.title)\n" + prose(group.introduction) + ".Bl -tag -width indent\n"
      for key in group.keys { text += entry(key) }
      text += ".El\n"
    }
    return text + """
      .Sh FILES
      .Bl -tag -width indent
      .It Pa /etc/begat/begatd.toml
      The configuration of this machine.
      .It Pa ~/.config/begat/begatd.toml
      A user's own.
      .It Pa /etc/begat/conf.d/*.toml , ~/.config/begat/conf.d/*.toml
      Additions to it.
      .El
      .Sh SEE ALSO
      .Xr begat 1 ,
      .Xr begat-listener 8 ,
      .Xr begatd 8

      """
  }

  private static func entry<Table>(_ key: Key<Table>) -> String {
    let fallback =
      key.hasShownDefault
      ? "Default: \(key.shownValue.toml)." : "Unset by default; an example: \(key.shownValue.toml)."
    return ".It Cm \(escaped(key.name))\n" + prose(sentence(key.help)) + prose(key.details)
      + prose(sentence("Expected: \(key.expectation)")) + prose(fallback)
  }

  private static func sentence(_ text: String) -> String {
    let capital = text.prefix(1).uppercased() + text.dropFirst()
    return capital.hasSuffix(".") ? capital : capital + "."
  }

  /// A sentence a line, as mdoc(7) wants it.
  private static func prose(_ text: String) -> String {
    var lines: [String] = []
    for sentence in sentences(of: text) {
      for line in TextWrap.lines(sentence, width: 110) {
        lines.append(line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + escaped(line) : escaped(line))
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func sentences(of text: String) -> [String] {
    var sentences: [String] = [""]
    for word in text.split(separator: " ") {
      if let last = sentences.last, last.hasSuffix("."), word.first?.isUppercase ?? false || word.first == "`" {
        sentences.append("")
      }
      sentences[sentences.count - 1] += (sentences[sentences.count - 1].isEmpty ? "" : " ") + word
    }
    return sentences.filter { !$0.isEmpty }
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "\"": result += "\\(dq"
      default: result.append(character)
      }
    }
    return result
  }
}
