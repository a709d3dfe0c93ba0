import Admission
import ControlProtocol
import Glibc
import NameService
import UnixIPC

/// An entry of `allow` or `deny`.
public struct AccessEntry: Hashable, Sendable {
  public let peer: AccessPeer
  /// As written.
  public let text: String
  /// The line of this entry.
  public let origin: Origin
}

/// Values that only services have: their addresses, users and clients.
extension Setting {
  typealias Placed = ServiceSettings.Placed

  /// All addresses that are right; nil when the list is none.
  func addresses(
    _ transport: Transport, _ runtimeDirectory: String, problems: inout ProblemCollector
  ) -> [Placed<ListenAddress>]? {
    guard let texts = problems.collect(try strings("addresses")) else { return nil }
    let reader = AddressReader(transport: transport, runtimeDirectory: runtimeDirectory)
    var addresses: [Placed<ListenAddress>] = []
    for (text, setting) in texts {
      do throws(AddressReader.Refusal) {
        addresses += try reader.read(text).map { Placed(value: $0, setting: setting) }
      } catch { problems.add(setting.problem(error.message)) }
    }
    return addresses
  }

  func databases(problems: inout ProblemCollector) -> [String]? {
    guard let paths = problems.collect(try strings("absolute paths")) else { return nil }
    for (path, setting) in paths {
      guard path.hasPrefix("/") else {
        problems.add(setting.problem("expected an absolute path, found \(quoted(path))"))
        continue
      }
      do throws(CallFailure) {
        _ = try FileSystem.facts(of: path)
      } catch { problems.add(setting.problem("\(printable(path)): \(error.errno)")) }
    }
    return paths.map(\.text)
  }

  func user() throws(ConfigurationProblem) -> Placed<User> {
    let text = try string("a user's name or number in quotes")
    guard let user = Users.find(text) else { throw problem("no user \(quoted(text)) on this machine") }
    return Placed(value: user, setting: self)
  }

  func group() throws(ConfigurationProblem) -> Placed<gid_t> {
    let text = try string("a group's name or number in quotes")
    guard let group = Users.findGroup(text), group != gid_t.max else {
      throw problem("no group \(quoted(text)) on this machine")
    }
    return Placed(value: group, setting: self)
  }

  /// The name of a network interface.
  ///
  /// Source: dev_valid_name() of Linux.
  func device() throws(ConfigurationProblem) -> String {
    let wanted = "an interface's name of 1 to \(BindOptions.longestDevice) bytes without / and white space"
    let text = try string(wanted)
    let isName =
      (1...BindOptions.longestDevice).contains(text.utf8.count) && !text.contains("/")
      && !text.contains(where: \.isWhitespace)
    guard isName else { throw unexpected(wanted) }
    return text
  }

  /// One line that is said to clients.
  func spokenLine() throws(ConfigurationProblem) -> String {
    let wanted = "one line of 1 to 500 bytes without control characters"
    let text = try string(wanted)
    let hasControls = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    guard (1...500).contains(text.utf8.count), !hasControls else { throw unexpected(wanted) }
    return text
  }

  /// All entries of an access list that are right; nil when the list is none.
  func accessEntries(problems: inout ProblemCollector) -> [Placed<AccessEntry>]? {
    guard let texts = problems.collect(try strings("networks or unix:USER")) else { return nil }
    var entries: [Placed<AccessEntry>] = []
    for (text, setting) in texts {
      guard let peer = problems.collect(try setting.peer(text)) else { continue }
      let entry = AccessEntry(peer: peer, text: printable(text), origin: setting.origin)
      entries.append(Placed(value: entry, setting: setting))
    }
    return entries
  }

  private func peer(_ text: String) throws(ConfigurationProblem) -> AccessPeer {
    if text.hasPrefix("unix:") {
      let name = String(text.dropFirst(5))
      if name == "*" { return .anyUser }
      guard let user = Users.number(of: name) else {
        throw problem(
          name.isEmpty ? "expected unix:USER or unix:*, found \"unix:\"" : "no user \(quoted(name)) on this machine")
      }
      return .user(user)
    }
    do throws(IPNetwork.Problem) {
      return .network(try IPNetwork(parsing: text))
    } catch {
      switch error {
      case .hostBits: throw problem("\(quoted(text)): \(error)")
      case .malformed: throw problem("\(error), or unix:USER, found \(quoted(text))")
      }
    }
  }
}
