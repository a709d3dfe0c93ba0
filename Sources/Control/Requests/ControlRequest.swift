import Admission
import Monitoring

/// Which services an order is about.
public enum ServiceSelection: Hashable, Sendable {
  case all
  case named([String])
}

/// Which connections are to be ended.
public enum ConnectionSelection: Hashable, Sendable {
  /// Each by its id or by its process.
  case listed([ConnectionName])
  /// All of a network's, of one service where one is named.
  case source(IPNetwork, service: String?)
  case service(String)
  case all
}

/// How a connection is named in an order.
public enum ConnectionName: Hashable, Sendable, CustomStringConvertible {
  case id(ConnectionID)
  case process(Int32)

  public var description: String {
    switch self {
    case .id(let id): id.description
    case .process(let number): String(number)
    }
  }
}

/// Whether the answer to an order to drain comes when the connections have ended.
public enum DrainWait: Hashable, Sendable {
  /// It comes immediately.
  case none
  case untilDone
  /// It comes after this time at the latest, and is then a failure.
  case atMost(Duration)
}

/// A request to begatd through one of its control sockets.
public enum ControlRequest: Hashable, Sendable {
  case status
  case connections(service: String?)
  case reload(isDryRun: Bool)
  case drain(ServiceSelection, wait: DrainWait)
  case resume(ServiceSelection)
  case end(ConnectionSelection)
  /// - Parameter duration: nil is forever.
  case deny(IPNetwork, service: String?, duration: Duration?)
  case allow(IPNetwork, service: String?)
  /// Go on as the program that begatd's file is now.
  case upgrade
  case stop

  /// The words of requests, as on the wire.
  public enum Name: String, CaseIterable, Sendable {
    case status, ps, reload, drain, resume, end, deny, allow, upgrade, stop

    /// Whether it changes nothing: the status socket takes these only.
    public var isQuestion: Bool { self == .status || self == .ps }

    /// The members that it may have beside version and request.
    var members: [String] {
      switch self {
      case .status, .upgrade, .stop: []
      case .ps: ["service"]
      case .reload: ["dry-run"]
      case .drain: ["services", "all", "wait"]
      case .resume: ["services", "all"]
      case .end: ["connections", "processes", "source", "service", "all"]
      case .deny: ["network", "service", "for"]
      case .allow: ["network", "service"]
      }
    }
  }

  public var name: Name {
    switch self {
    case .status: .status
    case .connections: .ps
    case .reload: .reload
    case .drain: .drain
    case .resume: .resume
    case .end: .end
    case .deny: .deny
    case .allow: .allow
    case .upgrade: .upgrade
    case .stop: .stop
    }
  }
}
