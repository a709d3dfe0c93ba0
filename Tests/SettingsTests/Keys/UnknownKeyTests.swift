import Testing

@testable import Settings

@Suite struct UnknownKeyTests {
  private let keys = ServiceSettings.keys.map(\.name)
  private let elsewhere = ["[daemon]": DaemonSettings.keys.map(\.name)]

  @Test(
    "translates words of other super-servers",
    arguments: [
      ("instances", "max-connections"), ("per_source", "max-connections-per-source"), ("only_from", "allow"),
      ("no_access", "deny"), ("cps", "rate"), ("server", "exec"), ("server_args", "exec"),
      ("socket_type", "listen-stream"),
      ("port", "listen-stream"), ("bind", "listen-stream"), ("interface", "bind-to-device"), ("disable", "enabled"),
      ("env", "environment"), ("banner_fail", "refusal"), ("log_type", "log-target"), ("rlimit_as", "limit-memory"),
      ("ListenStream", "listen-stream"), ("ListenDatagram", "listen-datagram"), ("MaxConnections", "max-connections"),
      ("MaxConnectionsPerSource", "max-connections-per-source"), ("SocketMode", "socket-mode"), ("ExecStart", "exec"),
      ("timeout", "idle-timeout"), ("redirect", "exec"), ("passenv", "environment"),
    ])
  func translates(word: String, key: String) {
    let message = UnknownKey.message(word, among: keys, elsewhere: elsewhere)
    #expect(message.hasPrefix("unknown key; ") && message.contains(key), "\(message)")
  }

  @Test("mentions only keys that exist")
  func mentionsKeysThatExist() {
    let known = Set(keys + DaemonSettings.keys.map(\.name))
    let hyphenated = ["listen-stream", "socket-mode"].allSatisfy(known.contains)
    #expect(hyphenated)
    for word in [
      "instances", "per_source", "cps", "max_load", "port", "interface", "log_type", "flags", "timeout", "rlimit_files",
    ] {
      let message = UnknownKey.message(word, among: keys)
      let mentioned = message.split { !$0.isLetter && $0 != "-" }.map(String.init).filter {
        $0.contains("-") && $0.count > 2
      }
      #expect(mentioned.allSatisfy(known.contains), "\(message)")
    }
  }

  @Test("names the table that a key belongs to")
  func namesTheTable() {
    #expect(
      UnknownKey.message("drain-timeout", among: keys, elsewhere: elsewhere)
        == "unknown key here; it belongs to [daemon]")
  }

  @Test(
    "suggests what is near",
    arguments: [
      ("max-conections", "max-connections"), ("idle_timeout", "idle-timeout"), ("sreve", "serve"),
      ("offensive", "fortune.offensive"),
      ("ipv4", "source-prefix.ipv4"),
    ])
  func suggestsWhatIsNear(name: String, meant: String) {
    #expect(UnknownKey.message(name, among: keys, elsewhere: elsewhere) == "unknown key; did you mean \(meant)?")
  }

  @Test("suggests nothing that is far", arguments: ["", "zzzzzz", "sandbox-everything"])
  func suggestsNothingFar(name: String) {
    #expect(UnknownKey.message(name, among: keys, elsewhere: elsewhere) == "unknown key")
  }
}
