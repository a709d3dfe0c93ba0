import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `log-address`: an address that is to be hidden is nowhere where clients are written down, whatever happens to them.
@Suite(.timeLimit(.minutes(30)))
struct AddressPrivacyTests {
  /// An address of this machine that no line has by chance; and its network.
  private static let source = "127.83.61.7"
  private static let network = "127.83.61.0/24"

  private static func configuration(_ form: String, _ target: String, in directory: TemporaryDirectory) throws
    -> String
  {
    let unix = directory.path("unix.sock")
    let missing = try directory.write("#!/bin/sh\n", to: "missing", mode: 0o755)
    return """
      [daemon]
      \(target)
      [defaults]
      log-address = "\(form)"
      log = "open"
      log-rate = "none"
      max-connections-per-source = 4
      [service.command]
      serve = "command"
      listen-stream = ["127.0.0.1:0", "\(unix)"]
      [service.denied]
      serve = "command"
      listen-stream = ["127.0.0.1:0", "\(directory.path("denied.sock"))"]
      deny = ["127.83.0.0/16", "unix:*"]
      refusal = "go away"
      [service.rated]
      serve = "time"
      listen-stream = ["127.0.0.1:0"]
      listen-datagram = ["127.0.0.1:0"]
      rate-per-source = "1/h burst 1"
      [service.full]
      serve = "command"
      listen-stream = ["127.0.0.1:0"]
      max-connections = 1
      [service.idle]
      serve = "echo"
      listen-stream = ["127.0.0.1:0"]
      idle-timeout = "200ms"
      [service.short]
      serve = "echo"
      listen-stream = ["127.0.0.1:0"]
      max-duration = "200ms"
      [service.talker]
      exec = ["/bin/sh", "-c", "echo a word >&2; printf part >&2; exit 9"]
      listen-stream = ["127.0.0.1:0"]
      [service.late]
      exec = ["/bin/sh", "-c", "(sleep 0.3; echo late >&2) <&- >&- & echo here; read line"]
      listen-stream = ["127.0.0.1:0"]
      [service.relayed]
      exec = ["/bin/sh", "-c", "echo a word >&2; kill -TERM $$"]
      relay = true
      listen-stream = ["127.0.0.1:0"]
      [service.missing]
      exec = ["\(missing)"]
      listen-stream = ["127.0.0.1:0"]

      """
  }

  /// Makes lines of all kinds about clients that come from `source`.
  ///
  /// - Returns: the ports that they had.
  private static func makeLines(_ daemon: Daemon) throws -> [String] {
    var ports: [String] = []
    func client(_ service: String) throws -> Client {
      let client = try Client(try daemon.address(service, "127."), from: source)
      ports.append(String(try client.address().split(separator: ":")[1]))
      return client
    }
    func meet(_ service: String, saying text: String = "", times: Int = 1) throws {
      for _ in 0..<times {
        let client = try client(service)
        try? client.send(text)
        try? client.endSending()
        _ = client.awaitEnd()
      }
    }
    // Records, of connections that end well, are reset, crash, are killed, and are ended by order.
    try meet("command", saying: "quit\n")
    try client("command").reset()
    // A place is free a moment after its client has seen the end.
    _ = try daemon.awaitConnections(0, of: "command")
    let crowd = try (0..<3).map { _ in try client("command") }
    for client in crowd { _ = try client.receive(until: Expected.prompt) }
    let processes = try daemon.awaitConnections(3, of: "command")
    try Signal(rawValue: SIGSEGV).send(to: processes[0])
    try Signal.kill.send(to: processes[1])
    #expect(try daemon.begat("end", "\(processes[2])").status == .exited(code: 0))
    for client in crowd { #expect(client.awaitEnd()) }
    try meet("idle")
    let idle = try client("idle")
    #expect(idle.awaitEnd())
    let short = try client("short")
    #expect(short.awaitEnd())
    // Refusals: by a rule, by a limit of the source, by its rate, by a ban; and waiting.
    try meet("denied", times: 2)
    _ = try daemon.awaitConnections(0, of: "command")
    let several = try (0..<4).map { _ in try client("command") }
    try meet("command")
    for client in several { client.hangUp() }
    try meet("rated", times: 3)
    let datagrams = try DatagramClient(try daemon.address("rated", datagram: true), from: "\(source):0")
    for _ in 0..<3 { try datagrams.send([0]) }
    _ = try daemon.awaitConnections(0, of: "command")
    #expect(try daemon.begat("deny", source, "--for", "1h", "--service", "command").status == .exited(code: 0))
    try meet("command")
    #expect(try daemon.begat("end", "--source", source).status == .exited(code: 0))
    #expect(try daemon.begat("allow", source, "--service", "command").status == .exited(code: 0))
    let holder = try client("full")
    _ = try holder.receive(until: Expected.prompt)
    let waiting = try client("full")
    holder.hangUp()
    _ = try waiting.receive(until: Expected.prompt)
    // Programs: lines, parts of lines, lines after the end, a failure, one that cannot be run.
    try meet("talker")
    let late = try client("late")
    _ = try late.receive(until: "here\n")
    late.hangUp()
    try meet("relayed")
    unlink(daemon.directory.path("missing"))
    try meet("missing", times: 2)
    // The user of a Unix socket.
    _ = try ask(try daemon.address("command", "/"), "quit\n")
    _ = try? ask(try daemon.address("denied", "/"))
    try expectHidden(daemon, whileOpen: try client("command"))
    waiting.hangUp()
    return ports
  }

  /// Everything that shows open connections.
  private static func expectHidden(_ daemon: Daemon, whileOpen client: Client) throws {
    _ = try client.receive(until: Expected.prompt)
    let unix = try Client(try daemon.address("command", "/"))
    _ = try unix.receive(until: Expected.prompt)
    _ = try daemon.awaitConnections(2, of: "command")
    daemon.noteProcesses()
    let titles = ProcessFacts.descendants(of: daemon.process).map(\.title).joined(separator: "\n")
    #expect(titles.contains("begat-listener: command "))
    var texts = ["titles": titles]
    for words in [["ps"], ["ps", "--json"], ["status"], ["status", "--json"], ["status", "--prometheus"]] {
      let answer = try RunningProgram.run(
        try Programs.begat(), words, environment: ["RUNTIME_DIRECTORY=\(daemon.directory.path("run"))"])
      #expect(answer.status == .exited(code: 0), "\(words): \(answer.errors.text)")
      texts[words.joined(separator: " ")] = answer.output.text
    }
    let port = ":\(try client.address().split(separator: ":")[1])"
    for (name, text) in texts {
      #expect(!text.contains(source) && !text.contains(port), "\(name):\n\(text)")
      #expect(!text.contains("\"user\":\(geteuid())") && !text.contains("uid \(geteuid())"), "\(name):\n\(text)")
    }
    client.hangUp()
    unix.hangUp()
  }

  private static func check(_ text: String, _ form: String, ports: [String]) {
    // Each kind of line is there: none is hidden because it was not made.
    for part in [
      "opened", "complete", "client closed", "crashed, SIGSEGV", "ended by SIGKILL", "ordered by the administrator",
      "idle-timeout", "max-duration", "is not allowed", "max-connections-per-source (4) reached by",
      "rate-per-source (1/h) reached by", "datagrams are not answered", "is banned by", "further clients wait",
      "request\":\"deny\"", "request\":\"end\"",
      "a word", "part", "late", "exit status 9", "its clients are turned away",
    ] { #expect(text.contains(part), "no line with \(part)") }
    #expect(!text.contains(source))
    if form == "none" { #expect(!text.contains("127.83.61")) } else { #expect(text.contains(network)) }
    for port in ports { #expect(!text.contains(":\(port)"), "port \(port)") }
    #expect(!text.contains("uid \(geteuid())") && !text.contains("user \(geteuid())"))
  }

  @Test(arguments: ["none", "prefix"], ["text", "json"])
  func linesHideThem(form: String, format: String) throws {
    let directory = try TemporaryDirectory()
    let daemon = try Daemon(
      try Self.configuration(form, "log-format = \"\(format)\"", in: directory), in: directory)
    let ports = try Self.makeLines(daemon)
    try daemon.log.awaitLines(containing: "late")
    try daemon.stop()
    // In JSON the words are others.
    let text = daemon.log.text
    if format == "text" { return Self.check(text, form, ports: ports) }
    #expect(!text.contains(Self.source) && text.contains("\"outcome\":\"crashed\""))
    if form == "none" { #expect(!text.contains("127.83.61") && !text.contains("\"peer\"")) }
    for port in ports { #expect(!text.contains(":\(port)\""), "port \(port)") }
    #expect(!text.contains("uid \(geteuid())"))
  }

  @Test(.enabled(if: Machine.isRoot, "only root can mount"), arguments: ["none", "prefix"], ["journal", "syslog"])
  func logDaemonsDoNotGetThem(form: String, target: String) throws {
    let directory = try TemporaryDirectory()
    let log = try LogDaemons(in: directory)
    let daemon = try Daemon(
      try Self.configuration(form, "log-target = \"\(target)\"", in: directory), in: directory,
      wrapper: try log.wrapper())
    let ports = try Self.makeLines(daemon)
    try log.await("late")
    try daemon.stop()
    try log.await("stopped")
    let text = log.messages.joined(separator: "\n")
    Self.check(text, form, ports: ports)
    if target == "journal" { #expect(text.contains("BEGAT_PEER=") == (form == "prefix")) }
  }

  /// The listener's own setting decides how much is shown, whichever program looks.
  @Test(arguments: ["none", "prefix", "full"])
  func aListenerWithoutBegatdHidesThemToo(form: String) throws {
    let directory = try TemporaryDirectory()
    let environment = ["RUNTIME_DIRECTORY=\(directory.path("run"))"]
    let listener = try RunningProgram(
      try Programs.listener(),
      ["--serve", "command", "--log-address", form, "--deny", "127.83.61.8", "--listen-stream", "127.0.0.1:0"],
      environment: environment)
    let line = try listener.errors.awaitLines(containing: ": ready on ")[0]
    let address = String(line.split(separator: " ").last ?? "")
    let client = try Client(address, from: Self.source)
    let peer = try client.address()
    _ = try client.receive(until: Expected.prompt)
    _ = try? ask(address, from: "127.83.61.8")
    let shown = ["none": "-", "prefix": Self.network, "full": peer][form]!
    let answer = try json(
      try RunningProgram.run(try Programs.begat(), ["ps", "--json"], environment: environment), as: [String: Any].self)
    let connection = try #require((answer["connections"] as? [[String: Any]])?.first)
    #expect(connection["peer"] as? String == (form == "none" ? nil : shown))
    #expect(
      ProcessFacts.children(of: listener.process).contains { $0.title == "begat-listener: command \(shown)" })
    client.hangUp()
    try listener.errors.awaitLines(containing: " for \(shown): ")
    try listener.errors.awaitLines(containing: "is not allowed")
    try listener.send(.terminate)
    #expect(try listener.awaitEnd() == .exited(code: 0))
    #expect(listener.errors.text.contains("127.83.61.7") == (form == "full"), "\(listener.errors.text)")
    #expect(listener.errors.text.contains("127.83.61.8") == (form == "full"), "\(listener.errors.text)")
  }
}
