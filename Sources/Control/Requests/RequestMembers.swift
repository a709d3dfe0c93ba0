import Admission
import JSON
import Settings
@_spi(Begat) import UnixCore

/// The members of a request's object: read by name, each with a message that names it.
struct RequestMembers {
  private let members: [JSONValue.Member]

  init(_ members: [JSONValue.Member]) { self.members = members }

  /// - Throws: where a member has a name that the request does not know.
  func refuseUnknown(among known: [String]) throws(ControlFailure) {
    for member in members where !known.contains(member.name) {
      let near = nearestName(to: member.name, among: known).map { "; did you mean \"\($0)\"?" }
      throw failure("unknown member \(quoted(member.name))\(near ?? "; known: \(known.joined(separator: ", "))")")
    }
  }

  /// The value of a member; nil where it is missing or null.
  subscript(name: String) -> JSONValue? {
    let value = members.first { $0.name == name }?.value
    return value == .null ? nil : value
  }

  func failure(_ message: String) -> ControlFailure { ControlFailure(message, exitStatus: ControlFailure.usage) }

  private func wrong(_ name: String, _ expectation: String, _ found: JSONValue) -> ControlFailure {
    failure("\"\(name)\": expected \(expectation), found \(found.kind)")
  }

  func string(_ name: String, _ expectation: String) throws(ControlFailure) -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.string else { throw wrong(name, expectation, value) }
    return text
  }

  /// False where it is missing.
  func boolean(_ name: String) throws(ControlFailure) -> Bool {
    guard let value = self[name] else { return false }
    guard let isSet = value.boolean else { throw wrong(name, "true or false", value) }
    return isSet
  }

  func service() throws(ControlFailure) -> String? { try string("service", "the name of a service") }

  /// Nil where the member is missing.
  func array<Element>(_ name: String, _ expectation: String, _ read: (JSONValue) -> Element?) throws(ControlFailure)
    -> [Element]?
  {
    guard let value = self[name] else { return nil }
    guard let elements = value.array, !elements.isEmpty else { throw wrong(name, expectation, value) }
    var result: [Element] = []
    for element in elements {
      guard let read = read(element) else { throw wrong(name, expectation, element) }
      result.append(read)
    }
    return result
  }

  /// A number of seconds, or a text such as `10m`.
  func duration(_ name: String) throws(ControlFailure) -> Duration? {
    guard let value = self[name] else { return nil }
    guard let duration = value.seconds ?? value.string.flatMap(DurationText.parse), duration > .zero else {
      throw wrong(name, "a time above 0: seconds, or a text such as \"10m\"", value)
    }
    return duration
  }

  func network(_ name: String) throws(ControlFailure) -> IPNetwork? {
    guard let text = try string(name, "an address or a network") else { return nil }
    do throws(IPNetwork.Problem) { return try IPNetwork(parsing: text) } catch {
      throw failure("\"\(name)\": \(quoted(text)): \(error)")
    }
  }

  /// The value of `name`, which must be there.
  func required<Value>(_ name: String, _ value: Value?) throws(ControlFailure) -> Value {
    guard let value else { throw failure("\"\(name)\" is missing") }
    return value
  }

  /// `services` or `all`: one of them.
  func services() throws(ControlFailure) -> ServiceSelection {
    let names = try array("services", "an array of names of services") { $0.string }
    switch (names, try boolean("all")) {
    case (let names?, false): return .named(names)
    case (nil, true): return .all
    default: throw failure("give either \"services\", an array of names, or \"all\": true")
    }
  }
}
