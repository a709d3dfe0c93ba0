import Confinement
import Glibc
import References
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

@Suite struct EmbeddedConfigurationTests {
  @Test("is right, for root and for anybody", arguments: [0, 1000] as [uid_t])
  func isRight(user: uid_t) throws {
    let configuration = try Configuration.load(file: nil, in: .sample(user: user))
    #expect(configuration.warnings == [])
    let listens = configuration.services.map { service in
      "\(service.name) \(service.builtIn?.rawValue ?? "?") \(service.streams) \(service.datagrams)"
    }
    #expect(
      listens == [
        "hello hello [127.0.0.1:2345, [::1]:2345, /run/begat/catsock] []",
        "fortune fortune [127.0.0.1:10017] []",
        "daytime daytime [127.0.0.1:10013] [127.0.0.1:10013]",
        "time time [127.0.0.1:10037] [127.0.0.1:10037]",
        "echo echo [127.0.0.1:10007] []",
        "discard discard [127.0.0.1:10009] []",
        "chargen chargen [127.0.0.1:10019] []",
        "command command [127.0.0.1:9000] []",
      ])
    #expect(configuration.services.filter { !$0.settings.enabled }.isEmpty)
    #expect(configuration.daemon == DaemonSettings())
  }

  /// The lines before the tables of services, and from the first of those on.
  private static let parts = Configuration.embeddedText.split(separator: "\n[service.", maxSplits: 1)

  /// The assignments of a text that are commented out.
  private static func commented(in text: Substring) -> [String] {
    text.split(separator: "\n").compactMap { line in
      line.hasPrefix("#") && line.dropFirst().first?.isLetter ?? false && line.contains(" = ")
        ? String(line.dropFirst()) : nil
    }
  }

  /// Those of the keys.
  private static let commented = commented(in: parts[0])

  /// The last service of the configuration after the number signs of a table's lines are taken away.
  private func uncommented(_ table: String, lines count: Int) throws -> ServiceConfiguration {
    let start = try #require(Configuration.embeddedText.range(of: "#[service.\(table)]\n")).lowerBound
    let lines = Configuration.embeddedText[start...].split(separator: "\n", omittingEmptySubsequences: false)
      .prefix { !$0.isEmpty }
    #expect(lines.count == count && lines.allSatisfy { $0.hasPrefix("#") })
    let text = Configuration.embeddedText[..<start] + lines.map { $0.dropFirst() + "\n" }.joined()
    let configuration = try Configuration.sample(String(text))
    #expect(configuration.warnings == [])
    return try #require(configuration.services.last)
  }

  @Test("has a status page for everyone who takes away five characters")
  func hasStatusPage() throws {
    let service = try uncommented("status", lines: 5)
    #expect(service.builtIn == .status && !service.settings.showPeers && "\(service.streams)" == "[127.0.0.1:9345]")
  }

  @Test("has an agent for HAProxy for everyone who takes away four characters")
  func hasAgent() throws {
    let service = try uncommented("agent", lines: 4)
    #expect(service.builtIn == .haproxyAgent && "\(service.streams)" == "[127.0.0.1:9346]")
  }

  @Test("is what the keys say")
  func isWhatTheKeysSay() throws {
    #expect(Configuration.embeddedText == References.files.first { $0.path == "etc/begatd.toml" }?.text)
    let names = EmbeddedConfigurationTests.commented.compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names == DaemonSettings.keys.map(\.name) + ServiceSettings.keys.map(\.name))
  }

  /// A service that a key fits, with the name of the service.
  private func table(for name: String) -> String {
    let cat = "[service.x]\nexec = [\"/bin/cat\"]\nlisten-stream = [\"127.0.0.1:1\"]\n"
    let hello = "[service.x]\nserve = \"hello\"\nlisten-stream = [\"127.0.0.1:1\", \"/run/x\"]\n"
    switch name {
    case "serve": return "[service.x]\nlisten-stream = [\"127.0.0.1:1\"]\n"
    case "exec": return "[service.x]\nlisten-stream = [\"127.0.0.1:1\"]\n"
    case "listen-stream": return "[service.x]\nserve = \"time\"\n"
    case "listen-datagram": return "[service.x]\nserve = \"time\"\n"
    case "commands": return "[service.x]\nserve = \"command\"\nlisten-stream = [\"127.0.0.1:1\"]\n"
    case "show-peers", "server-names":
      return "[service.x]\nserve = \"status\"\nlisten-stream = [\"127.0.0.1:1\"]\n"
    case "weight": return "[service.x]\nserve = \"haproxy-agent\"\nlisten-stream = [\"127.0.0.1:1\"]\n"
    case "proxy-timeout", "proxy-version": return hello + "proxy-from = [\"192.0.2.9\"]\n"
    case _ where DaemonSettings.keys.contains { $0.name == name }: return hello + "[daemon]\n"
    default:
      let conditions = ServiceSettings.key(named: name)?.conditions ?? []
      let mode = ServiceMode(offer: .builtIn(.hello), sockets: [.internetStream, .unixStream])
      let settings = ServiceSettings()
      return conditions.isEmpty || ServiceSettings.key(named: name)?.reasonWithoutEffect(settings, mode) == nil
        ? hello : cat
    }
  }

  @Test("shows lines that are valid where they fit", arguments: commented)
  func showsValidLines(line: String) throws {
    let name = try #require(line.split(separator: " ").first.map(String.init))
    let value = line.dropFirst(name.count + 3)
    // Programs, interfaces and files of the examples are not on every machine.
    let machine = [" No such file or directory"]
    let problems = Configuration.problems(table(for: name) + "\(name) = \(value)\n")
    #expect(problems.filter { problem in !machine.contains { problem.hasSuffix($0) } } == [])
  }

  @Test("shows defaults, which change nothing in [defaults]")
  func showsDefaults() throws {
    let plain = try Configuration.sample(Configuration.embeddedText)
    for line in EmbeddedConfigurationTests.commented {
      let name = line.prefix { $0 != " " }
      guard let key = ServiceSettings.key(named: String(name)), key.value(in: ServiceSettings()) != nil, !key.isList,
        !key.isOpenTable
      else { continue }
      let text = Configuration.embeddedText.replacing("[defaults]\n", with: "[defaults]\n\(line)\n")
      let configuration = try Configuration.sample(text)
      #expect(configuration.services.map(\.settings) == plain.services.map(\.settings), "\(line)")
    }
  }

  @Test("can be told")
  func canBeTold() throws {
    let text = try Configuration.load(file: nil, in: .sample()).checkText(
      support: KernelSupport(landlockVersion: 6, takesFilters: true))
    #expect(
      text.hasPrefix(
        """
        log-level info, log-target auto, drain-timeout 30s, announce-time 0s
        control-socket /run/begat/control

        SERVICE  SERVES   USER                   LISTENS ON
        hello    hello    begat-hello (72619)    stream 127.0.0.1:2345
                                                 stream [::1]:2345
                                                 stream /run/begat/catsock
        fortune  fortune  begat-fortune (82750)  stream 127.0.0.1:10017
        daytime  daytime  begat-daytime (75548)  stream 127.0.0.1:10013
                                                 datagram 127.0.0.1:10013

        """))
    #expect(text.hasSuffix("\nbuilt-in default: configuration is right\n"))
    let limits = """

      connections: max-connections 256, max-connections-per-source 32, rate none,
        rate-per-source none, when-full wait, deny-time none, first-byte-timeout none,
        idle-timeout 10m, max-duration none, log connections
      datagrams: rate 1000/s, rate-per-source 10/s, when-full refuse

      sandbox: the system calls that it needs, no files, no connections to others,
        no signals to others

      SERVICE  SANDBOX
      command  the system calls that it needs, no file but the list of logins,
               no connections to others, no signals to others

      built-in default
      """
    #expect(text.contains(limits), "\(text)")
    #expect(!text.contains("ACCESS"))
  }
}
