import ArgumentParser
import Clients
import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// The positional arguments of the commands that speak to a server.
struct TargetArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A host, as HOST or HOST:PORT; or the /path, ./path or @name of a Unix socket.", valueName: "host"),
    completion: .hosts)
  var place: String

  @Argument(
    help: "The host's port: a number, a name of services(5), or both as in \"daytime(13)\".", completion: .ports)
  var port: String?

  func target(transport: Transport = .tcp) throws -> ConnectionTarget {
    do throws(ConnectionTarget.ParseError) {
      return try ConnectionTarget(place, port: port, transport: transport)
    } catch { throw ValidationError(error.description) }
  }
}

/// The options that leave addresses out.
struct FamilyOptions: ParsableArguments {
  @Flag(name: [.customShort("4"), .customLong("ipv4")], help: "Use IPv4 addresses only.")
  var isVersion4 = false

  @Flag(name: [.customShort("6"), .customLong("ipv6")], help: "Use IPv6 addresses only.")
  var isVersion6 = false

  /// nil for both.
  var family: AddressFamily? { isVersion4 ? .ipv4 : isVersion6 ? .ipv6 : nil }

  func validate() throws {
    if isVersion4, isVersion6 { throw ValidationError("-4 and -6 exclude each other") }
  }
}

/// Reads seconds, as in `10` or `0.5`, and `500ms`, `10s`, `1m30s`, ….
func readDuration(_ text: String) throws -> Duration {
  guard let duration = seconds(text) ?? DurationText.parse(text) else {
    throw ValidationError("a time is a number of seconds, or written like 500ms, 10s or 1m30s")
  }
  return duration
}

private func seconds(_ text: String) -> Duration? {
  let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
  guard let first = parts.first, let whole = first.isEmpty && parts.count == 2 ? 0 : UInt32(decimal: first) else {
    return nil
  }
  guard parts.count == 2 else { return .seconds(whole) }
  let digits = parts[1].prefix(9)
  guard let fraction = UInt32(decimal: digits), parts[1].allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
  let nanoseconds = (digits.count..<9).reduce(Int64(fraction)) { value, _ in value * 10 }
  return .seconds(whole) + .nanoseconds(nanoseconds)
}

/// The command that is to be run, byte for byte; the parser has seen no more than its first word.
func userCommand() -> UserCommand { UserCommand(Array(TypedWords.all.suffix(Begat.words.commandLength))) }

/// A command with any number of operands, of which the parser sees the first ones.
protocol OperandTaker: ParsableCommand {
  /// Takes the others.
  mutating func add(_ words: [String]) throws
}

/// The command line as it was typed, byte for byte, where the parser makes texts of the words.
enum TypedWords {
  static var all: [[UInt8]] {
    UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)).compactMap { word in
      word.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
  }

  /// Those that follow the name of a command.
  static func after(_ command: String) -> [[UInt8]] { Array(all.drop { $0 != Array(command.utf8) }.dropFirst()) }

  /// The bytes of words that the parser has made texts of, in the order in which they were typed.
  static func bytes(of texts: [String]) -> [[UInt8]] {
    var rest = all.dropFirst()
    return texts.map { text in
      while let word = rest.popFirst() { if String(decoding: word, as: UTF8.self) == text { return word } }
      return Array(text.utf8)
    }
  }
}

func readProcess(_ text: String) throws -> pid_t {
  guard let process = ProcessNumber.parse(text) else {
    throw ValidationError("a process is a number from 1 on")
  }
  return process
}

/// The arguments of the commands that ask many hosts at once.
struct SurveyArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A host, as HOST, HOST:PORT or [ADDRESS]:PORT; or the /path, ./path or @name of a Unix socket.",
      valueName: "host"), completion: .hosts)
  var hosts: [String]

  @Flag(help: "Ask by an empty datagram, instead of connecting.")
  var udp = false

  @Option(
    help: ArgumentHelp(
      "How long all of them together are waited for: seconds, or a time as in 500ms (default: 10).", valueName: "time"),
    transform: readTimeLimit)
  var timeout: Duration?

  @Option(
    help: ArgumentHelp(
      "The port of hosts that are named without one: a number, a name of services(5), or both as in \"time(37)\".",
      valueName: "port"), completion: .ports)
  var port: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func settings(defaultPort: String) throws -> SurveySettings {
    if let number = hosts.first(where: { UInt64(decimal: $0) != nil }) {
      throw ValidationError("\(number) is no host: a port follows its host and a colon, as in HOST:\(number)")
    }
    let transport = udp ? Transport.udp : .tcp
    var settings = SurveySettings(
      hosts: try hosts.map { word in
        do throws(ConnectionTarget.ParseError) {
          let target = try ConnectionTarget(word, defaultPort: port ?? defaultPort, transport: transport)
          return SurveySettings.Host(word: word, target: target)
        } catch { throw ValidationError(error.description) }
      })
    settings.transport = transport
    if let timeout { settings.timeout = timeout }
    settings.json = json
    return settings
  }
}

/// Reads what `readDuration` does, but nothing.
func readTimeLimit(_ text: String) throws -> Duration {
  let limit = try readDuration(text)
  guard limit > .zero else { throw ValidationError("0 is no time limit: leave the option out for none") }
  return limit
}

/// Reads a number of bytes such as `2000`, `4K`, `16M` or `1G`.
func readSize(_ text: String) throws -> Int {
  guard let size = SizeText.parse(text).flatMap({ Int(exactly: $0) }) else {
    throw ValidationError("a size is a number, with K, M, G or T after it")
  }
  return size
}
