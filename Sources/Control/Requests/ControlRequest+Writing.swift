import Admission
import JSON

extension ControlRequest {
  /// The request as a line, with its end.
  public var line: [UInt8] { line { $0.description } }

  /// The request as a line for a log, in which clients' networks are shown as `text` returns them.
  public func line(showing text: (IPNetwork) -> String) -> [UInt8] {
    var writer = JSONWriter()
    let head = [
      JSONValue.Member("version", .integer(ControlLanguage.version)),
      JSONValue.Member("request", .string(name.rawValue)),
    ]
    writer.append(.object(head + members(text)))
    writer.append("\n")
    return writer.bytes
  }

  private func members(_ text: (IPNetwork) -> String) -> [JSONValue.Member] {
    switch self {
    case .status, .upgrade, .stop: []
    case .connections(let service): ControlRequest.member(service: service)
    case .reload(let isDryRun): isDryRun ? [JSONValue.Member("dry-run", .boolean(true))] : []
    case .drain(let services, let wait): services.members + wait.members
    case .resume(let services): services.members
    case .end(let selection): selection.members(text)
    case .deny(let network, let service, let duration):
      [JSONValue.Member("network", .string(text(network)))] + ControlRequest.member(service: service)
        + (duration.map { [JSONValue.Member("for", .seconds($0))] } ?? [])
    case .allow(let network, let service):
      [JSONValue.Member("network", .string(text(network)))] + ControlRequest.member(service: service)
    }
  }

  fileprivate static func member(service: String?) -> [JSONValue.Member] {
    service.map { [JSONValue.Member("service", .string($0))] } ?? []
  }
}

extension ServiceSelection {
  fileprivate var members: [JSONValue.Member] {
    switch self {
    case .all: [JSONValue.Member("all", .boolean(true))]
    case .named(let names): [JSONValue.Member("services", .array(names.map { .string($0) }))]
    }
  }
}

extension DrainWait {
  fileprivate var members: [JSONValue.Member] {
    switch self {
    case .none: []
    case .untilDone: [JSONValue.Member("wait", .boolean(true))]
    case .atMost(let duration): [JSONValue.Member("wait", .seconds(duration))]
    }
  }
}

extension ConnectionSelection {
  fileprivate func members(_ text: (IPNetwork) -> String) -> [JSONValue.Member] {
    switch self {
    case .all: return [JSONValue.Member("all", .boolean(true))]
    case .service(let name): return ControlRequest.member(service: name)
    case .source(let network, let service):
      return [JSONValue.Member("source", .string(text(network)))] + ControlRequest.member(service: service)
    case .listed(let names):
      var ids: [JSONValue] = []
      var processes: [JSONValue] = []
      for name in names {
        switch name {
        case .id(let id): ids.append(.string(id.description))
        case .process(let number): processes.append(.count(number))
        }
      }
      return [JSONValue.Member("connections", .array(ids)), JSONValue.Member("processes", .array(processes))].filter {
        $0.value != .array([])
      }
    }
  }
}
