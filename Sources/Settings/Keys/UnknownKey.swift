/// Messages about a key that does not exist: the one that was probably meant, or where it belongs.
public enum UnknownKey {
  /// - Parameter name: as found.
  /// - Parameter candidates: the keys of the table in which it was found.
  /// - Parameter elsewhere: keys of other tables, by the table's name.
  public static func message(_ name: String, among candidates: [String], elsewhere: [String: [String]] = [:]) -> String
  {
    for (table, keys) in elsewhere.sorted(by: { $0.key < $1.key }) where keys.contains(name) {
      return "unknown key here; it belongs to \(table)"
    }
    if let translation = foreignWords[name.lowercased()] { return "unknown key; \(translation)" }
    if let near = nearestName(to: name, among: candidates) { return "unknown key; did you mean \(near)?" }
    if let whole = candidates.first(where: { $0.hasPrefix(name + ".") || $0.hasSuffix("." + name) }) {
      return "unknown key; did you mean \(whole)?"
    }
    return plainMessage
  }

  /// The message without a hint.
  static let plainMessage = "unknown key"

  /// Words of other super-servers, by what begat has in their place.
  ///
  /// Source: xinetd.conf(5), systemd.socket(5), tcpserver(1).
  private static let foreignWords: [String: String] = [
    "instances": "xinetd's instances is max-connections here",
    "per_source": "xinetd's per_source is max-connections-per-source here",
    "only_from": "xinetd's only_from is allow here",
    "no_access": "xinetd's no_access is deny here",
    "deny_time": "xinetd's deny_time is deny-time here, such as deny-time = \"10m after 5\"",
    "cps": "xinetd's cps is rate here, such as rate = \"50/s\"",
    "max_load": "xinetd's max_load has no counterpart; see max-connections and rate",
    "access_times": "xinetd's access_times has no counterpart",
    "redirect": "xinetd's redirect has no counterpart; exec a program such as socat",
    "server": "xinetd's server is exec here, such as exec = [\"/usr/bin/program\", \"-x\"]",
    "server_args": "arguments are further words of exec, such as exec = [\"/usr/bin/program\", \"-x\"]",
    "socket_type": "use listen-stream or listen-datagram",
    "protocol": "use listen-stream or listen-datagram",
    "port": "use listen-stream or listen-datagram, such as listen-stream = [\"2345\"]",
    "bind": "use listen-stream or listen-datagram, such as listen-stream = [\"127.0.0.1:2345\"]",
    "interface": "an address is part of listen-stream; for a network interface use bind-to-device",
    "disable": "use enabled = false",
    "disabled": "use enabled = false",
    "env": "use environment = { NAME = \"value\" }",
    "passenv": "the environment of programs is built, never inherited; use environment",
    "banner_fail": "use refusal, a line that is sent to refused clients",
    "log_type": "use log-target in [daemon]",
    "rlimit_as": "use limit-memory",
    "rlimit_cpu": "use limit-cpu",
    "rlimit_files": "use limit-open-files",
    "flags": "xinetd's flags have no counterpart as a whole; see keep-alive",
    "listenstream": "use listen-stream",
    "listendatagram": "use listen-datagram",
    "maxconnections": "use max-connections",
    "maxconnectionspersource": "use max-connections-per-source",
    "socketmode": "use socket-mode",
    "socketuser": "use socket-user",
    "socketgroup": "use socket-group",
    "execstart": "use exec, such as exec = [\"/usr/bin/program\", \"-x\"]",
    "command": "use exec, such as exec = [\"/usr/bin/program\", \"-x\"]",
    "listen": "use listen-stream or listen-datagram",
    "address": "use listen-stream or listen-datagram",
    "timeout": "use first-byte-timeout, idle-timeout or max-duration",
  ]
}
