import Settings
@_spi(Begat) import UnixCore

@testable import Configuration
@testable import ForkingServer

/// What a reader makes of settings: the settings that have an effect, or the key to blame with the reason.
enum Reading<Value> {
  case obeyed(Value)
  case refused(key: String, reason: String)
}

extension Circumstance {
  /// The base with one more key, or with another value of a key.
  func settings(with name: String? = nil, _ value: RawValue = .boolean(true)) -> [(name: String, value: RawValue)] {
    guard let name else { return base }
    return base.filter { $0.name != name } + [(name, value)]
  }

  /// Reads the settings as the table of a service in a file, beside another service.
  ///
  /// - Parameter defaults: what stands in `[defaults]`.
  func readFile(
    _ settings: [(name: String, value: RawValue)], defaults: [(name: String, value: RawValue)] = []
  ) -> Reading<ServiceConfiguration> {
    func lines(_ settings: [(name: String, value: RawValue)]) -> String {
      settings.map { "\($0.name) = \($0.value.toml)\n" }.joined()
    }
    let text =
      "[service.x]\n\(lines(settings))[service.other]\nserve = \"time\"\nenabled = true\nlisten-stream = \"127.0.0.1:9\"\n"
      + "listen-datagram = []\n[defaults]\n\(lines(defaults))"
    let surroundings = Surroundings(
      identity: Identity(user: 0, group: 0), systemFile: "/nonexistent/begatd.toml", runtimeDirectory: "/run/begat",
      identities: .inMemory())
    do throws(ConfigurationProblems) {
      let configuration = try Configuration.read(
        [ConfigurationFiles.Text(file: "t.toml", bytes: Array(text.utf8))], source: "t.toml", in: surroundings)
      return .obeyed(configuration.services[0])
    } catch {
      let problem = error.problems[0]
      let key = problem.key.map { $0.replacing("service.x.", with: "") } ?? ""
      // Behind the reason may stand where the other key is.
      let clauses = problem.message.split(separator: "; ").filter { !$0.contains(" is at t.toml:") }
      let more = error.problems.count == 1 ? "" : " and \(error.problems.count - 1) more"
      return .refused(key: key, reason: clauses.joined(separator: "; ") + more)
    }
  }

  /// The settings as options of begat-listener.
  func words(_ settings: [(name: String, value: RawValue)]) -> [String] {
    func words(_ name: String, _ value: RawValue) -> [String] {
      switch value {
      case .word(let text), .string(let text): ["--\(name)", text]
      case .integer(let number): ["--\(name)", "\(number)"]
      case .boolean(let value): ["--\(name)", "\(value)"]
      case .list(let elements): elements.isEmpty ? ["--\(name)", ""] : elements.flatMap { words(name, $0) }
      case .table(let members): members.flatMap { words("\(name).\($0.name)", $0.value) }
      case .other: []
      }
    }
    var options = isStdio ? ["--stdio"] : []
    // No listener that runs by itself can have it.
    if isOfBegatd, !isStdio { options += ["--channel", "9"] }
    var program: [String] = []
    for (name, value) in settings {
      if name == "exec", case .list(let elements) = value {
        program = ["--"] + elements.compactMap(\.text)
      } else {
        options += words(name, value)
      }
    }
    return options + program
  }

  /// Reads words as begat-listener does.
  func readWords(_ words: [String], passed: Set<ServiceMode.SocketKind>) -> Reading<ListenerOptions> {
    do throws(ListenerOptionProblem) {
      return .obeyed(try ListenerSettings(try ListenerOptions.parse(words), passed: passed).options)
    } catch {
      let text = error.description
      let parts = text.split(separator: ": ", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return .refused(key: "", reason: text) }
      let key = String(parts[0].dropFirst(2))
      return .refused(
        key: key.isEmpty ? "exec" : key, reason: parts[1].replacing("; see --help", with: ""))
    }
  }
}
