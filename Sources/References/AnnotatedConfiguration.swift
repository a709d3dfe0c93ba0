import Settings

/// The configuration that shows every key with its default: `etc/begatd.toml`, and what begatd serves without a file.
public enum AnnotatedConfiguration {
  public static var text: String {
    var text = """
      # begatd.toml: what begatd serves, where and to how many.  begatd.toml(5) explains every key.
      #
      # begatd reads the file given by --config, else /etc/begat/begatd.toml, else the copy of this text that it carries:
      # every service that begat has built in, on this machine only and on ports that need no privilege.  An ordinary user's
      # begatd first looks for ~/.config/begat/begatd.toml.  The files conf.d/*.toml beside it are read too, in the order of
      # their names; no table may be defined in two files.
      #
      # Lines that begin with "#key =" show defaults, or an example for a key that is unset.  `begat check` shows what is
      # wrong with a file, or which settings result from it.

      [daemon]

      """
    for key in DaemonSettings.keys { text += line(key) }
    text += """

      # Settings of every service whose own table has no others.  In a service's table a key without effect is an error;
      # here it applies to the services it fits.
      [defaults]

      """
    for (index, group) in ServiceSettings.groups.enumerated() {
      text += (index == 0 ? "" : "\n") + heading(group)
      for key in group.keys { text += line(key) }
    }
    return text + "\n" + Self.services
  }

  private static func heading(_ group: KeyGroup<ServiceSettings>) -> String {
    let sentences = group.introduction.isEmpty ? "" : ".  " + group.introduction
    return TextWrap.lines("\(group.title)\(sentences)", width: 118).map { "# \($0)\n" }.joined()
  }

  /// `#key = value    # help`, the value being the default or, where that says nothing, an example.
  private static func line<Table>(_ key: Key<Table>) -> String {
    let value = key.shownValue.toml
    let assignment = "#\(key.name) = \(value)"
    let padding = String(repeating: " ", count: max(1, 28 - assignment.count))
    let whole = assignment + padding + "# " + key.help
    if whole.count <= 120 { return whole + "\n" }
    return TextWrap.lines(key.help, width: 118).map { "# \($0)\n" }.joined() + assignment + "\n"
  }

  private static let services = """
    # A greeting, the time and a fortune.
    [service.hello]
    serve = "hello"
    listen-stream = ["127.0.0.1:2345", "[::1]:2345", "%t/catsock"]

    # A fortune (RFC 865).
    [service.fortune]
    serve = "fortune"
    listen-stream = ["127.0.0.1:10017"]

    # The date and time as text (RFC 867).
    [service.daytime]
    serve = "daytime"
    listen-stream = ["127.0.0.1:10013"]
    listen-datagram = ["127.0.0.1:10013"]

    # The time as 32 bits (RFC 868).
    [service.time]
    serve = "time"
    listen-stream = ["127.0.0.1:10037"]
    listen-datagram = ["127.0.0.1:10037"]

    # Everything back (RFC 862).
    [service.echo]
    serve = "echo"
    listen-stream = ["127.0.0.1:10007"]

    # Nothing back (RFC 863).
    [service.discard]
    serve = "discard"
    listen-stream = ["127.0.0.1:10009"]

    # Characters without end (RFC 864).
    [service.chargen]
    serve = "chargen"
    listen-stream = ["127.0.0.1:10019"]

    # A few commands for anyone who connects: try `begat connect localhost 9000` and `help`.
    [service.command]
    serve = "command"
    listen-stream = ["127.0.0.1:9000"]

    # A status page, for a browser (http://127.0.0.1:9345/) and for Prometheus (/metrics): remove the five "#".
    #[service.status]
    #serve = "status"
    #listen-stream = ["127.0.0.1:9345"]
    #idle-timeout = "30s"
    #log = "problems"

    # An agent for HAProxy's agent check (agent-send "NAME\\n" asks about one service): remove the four "#".
    #[service.agent]
    #serve = "haproxy-agent"
    #listen-stream = ["127.0.0.1:9346"]
    #log = "problems"

    """
}
