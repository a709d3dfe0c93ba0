import Admission
import JSON
import Monitoring
import Settings
@_spi(Begat) import UnixCore

extension ControlRequest {
  /// Reads a line of a control socket.
  ///
  /// - Parameter line: without its end; any bytes.
  /// - Throws: a failure that says what is wrong with the request, for its sender.
  public init(line: [UInt8]) throws(ControlFailure) {
    guard line.count <= ControlLanguage.maxRequestLength else {
      throw RequestMembers([]).failure("a request of more than \(ControlLanguage.maxRequestLength) bytes")
    }
    let value: JSONValue
    do throws(JSONReader.Problem) { value = try JSONReader.read(line) } catch {
      throw RequestMembers([]).failure(
        "not a JSON object: \(error); a request is a line such as {\"version\":1,\"request\":\"status\"}")
    }
    guard case .object(let object) = value else {
      throw RequestMembers([]).failure(
        "expected an object such as {\"version\":1,\"request\":\"status\"}, found \(value.kind)")
    }
    let members = RequestMembers(object)
    try ControlRequest.checkVersion(members["version"], members)
    let name = try ControlRequest.name(members)
    try members.refuseUnknown(among: ["version", "request"] + name.members)
    self = try ControlRequest.read(name, members)
  }

  private static func checkVersion(_ version: JSONValue?, _ members: RequestMembers) throws(ControlFailure) {
    guard let version else { throw members.failure("\"version\" is missing: it is \(ControlLanguage.version)") }
    guard version.integer == ControlLanguage.version else {
      throw members.failure(
        "version \(version.kind): this begatd, \(BegatVersion.text), understands version \(ControlLanguage.version) only"
      )
    }
  }

  private static func name(_ members: RequestMembers) throws(ControlFailure) -> Name {
    let word = try members.required("request", try members.string("request", "the name of a request"))
    if let name = Name(rawValue: word) { return name }
    let known = Name.allCases.map(\.rawValue)
    let near = nearestName(to: word, among: known).map { "; did you mean \"\($0)\"?" }
    throw members.failure("unknown request \(quoted(word))\(near ?? "; known: \(known.joined(separator: ", "))")")
  }

  private static func read(_ name: Name, _ members: RequestMembers) throws(ControlFailure) -> ControlRequest {
    switch name {
    case .status: return .status
    case .upgrade: return .upgrade
    case .stop: return .stop
    case .ps: return .connections(service: try members.service())
    case .reload: return .reload(isDryRun: try members.boolean("dry-run"))
    case .drain: return .drain(try members.services(), wait: try wait(members))
    case .resume: return .resume(try members.services())
    case .end: return .end(try selection(members))
    case .deny:
      let network = try members.required("network", try members.network("network"))
      return .deny(network, service: try members.service(), duration: try members.duration("for"))
    case .allow:
      let network = try members.required("network", try members.network("network"))
      return .allow(network, service: try members.service())
    }
  }

  private static func wait(_ members: RequestMembers) throws(ControlFailure) -> DrainWait {
    switch members["wait"] {
    case nil, .boolean(false): .none
    case .boolean(true): .untilDone
    default: try members.duration("wait").map(DrainWait.atMost) ?? .none
    }
  }

  private static func selection(_ members: RequestMembers) throws(ControlFailure) -> ConnectionSelection {
    let ids = try members.array("connections", "ids such as \"hello/1.17.1kpqzg2c\"") {
      $0.string.flatMap(ConnectionID.init).map(ConnectionName.id)
    }
    let processes = try members.array("processes", "numbers of processes") {
      $0.integer.flatMap(Int32.init(exactly:)).flatMap { $0 > 0 ? ConnectionName.process($0) : nil }
    }
    let source = try members.network("source")
    let service = try members.service()
    switch ((ids ?? []) + (processes ?? []), source, service, try members.boolean("all")) {
    case ([], nil, nil, true): return .all
    case ([], nil, let service?, false): return .service(service)
    case ([], let source?, let service, false): return .source(source, service: service)
    case (let listed, nil, nil, false) where !listed.isEmpty: return .listed(listed)
    default:
      throw members.failure(
        "give one of \"connections\" and \"processes\", \"source\", \"service\", or \"all\": true; \"source\" and \"service\" may go together"
      )
    }
  }
}
