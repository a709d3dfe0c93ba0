import Testing

/// A configuration that is wrong, and what each line of the complaint must hold.
struct ConfigurationFault: CustomTestStringConvertible {
  let testDescription: String
  let text: String
  let complaints: [[String]]

  init(_ name: String, _ text: String, _ complaints: [String]...) {
    testDescription = name
    self.text = text
    self.complaints = complaints
  }

  /// Three lines that are right.
  static let service = "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"127.0.0.1:0\"]\n"

  static let all: [ConfigurationFault] = [
    ConfigurationFault(
      "unknown key", service + "max-conections = 3\n", [":4:1: service.echo.max-conections: ", "max-connections"]),
    ConfigurationFault(
      "wrong type", service + "backlog = \"many\"\n", [":4:11: service.echo.backlog: ", "integer"]),
    ConfigurationFault(
      "number out of range", service + "backlog = 0\n", [":4:11: service.echo.backlog: ", "from 1 to 65535"]),
    ConfigurationFault(
      "unknown service", "[service.x]\nserve = \"telnet\"\nlisten-stream = [\"127.0.0.1:0\"]\n",
      [":2:9: service.x.serve: ", "telnet"]),
    ConfigurationFault(
      "no address", "[service.echo]\nserve = \"echo\"\n", [":1:10: service.echo: ", "listen-stream"]),
    ConfigurationFault(
      "bad address", "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"localhost:7\"]\n",
      [":3:18: service.echo.listen-stream", "localhost:7"]),
    ConfigurationFault(
      "missing user", service + "user = \"no-such-user-here\"\n", [":4:8: service.echo.user: ", "no-such-user-here"]),
    ConfigurationFault("syntax error", service + "backlog = = 1\n", [":4:11: ", "begatd.toml"]),
    ConfigurationFault("unfinished table", "[service.echo\n", [":1:", "]"]),
    ConfigurationFault(
      "address twice",
      """
      [service.a]
      serve = "echo"
      listen-stream = ["127.0.0.1:7777"]
      [service.b]
      serve = "echo"
      listen-stream = ["127.0.0.1:7777"]
      """, [":6:18: service.b.listen-stream", "127.0.0.1:7777", ":3:18"]),
    ConfigurationFault(
      "three at once", service + "backlog = -1\nlog = \"all\"\n[damon]\n",
      [":4:11: service.echo.backlog"], [":5:7: service.echo.log"], [":6:2: ", "damon", "daemon"]),
  ]
}
