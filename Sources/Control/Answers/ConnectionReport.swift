import JSON

/// The answer to `ps`: open connections.
public struct ConnectionReport: Hashable, Sendable {
  public var connections: [ConnectionStatus]
  /// Further ones that the answer had no room for.
  public var omitted: Int

  public init(_ connections: [ConnectionStatus], omitted: Int = 0) {
    self.connections = connections
    self.omitted = omitted
  }
}

/// An open connection, as its own process reports it.
public struct ConnectionStatus: Hashable, Sendable {
  /// The event for which a connection process waits.
  public enum Waiting: String, Sendable, CaseIterable {
    /// The client's first byte.
    case firstByte = "first-byte"
    /// More from the client, or until it takes the answer.
    case client
    /// The answer is out, and the client has not closed yet.
    case close

    /// - Parameter number: as in the scoreboard; nil for one that waits for nothing that begat knows.
    public init?(number: UInt32) {
      guard number >= 1, number <= Waiting.allCases.count else { return nil }
      self = Waiting.allCases[Int(number) - 1]
    }
  }

  public var id: ConnectionID
  /// The client's address, or the path of the Unix socket that it came through; nil where it is not known.
  public var peer: String?
  /// The user at the other end of a Unix socket.
  public var user: UInt32?
  public var process: Int32
  /// The process of its listener.
  public var listener: Int32
  public var age: Duration
  /// Bytes; nil where a program has the connection to itself.
  public var received: UInt64?
  public var sent: UInt64?
  public var waiting: Waiting?

  public init(id: ConnectionID, process: Int32, listener: Int32, age: Duration) {
    self.id = id
    self.process = process
    self.listener = listener
    self.age = age
  }
}

extension ConnectionStatus {
  var json: JSONValue {
    .object([
      JSONValue.Member("id", .string(id.description)), JSONValue.Member("service", .string(id.service)),
      JSONValue.Member("generation", .count(id.generation)), JSONValue.Member("slot", .count(id.slot)),
      JSONValue.Member("peer", .optional(peer) { .string($0) }),
      JSONValue.Member("user", .optional(user) { .count($0) }),
      JSONValue.Member("pid", .count(process)), JSONValue.Member("listener", .count(listener)),
      JSONValue.Member("age", .seconds(age)), JSONValue.Member("received", .optional(received) { .count($0) }),
      JSONValue.Member("sent", .optional(sent) { .count($0) }),
      JSONValue.Member("waits-for", .optional(waiting) { .string($0.rawValue) }),
    ])
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    guard let id = ConnectionID(try json.text("id")) else { throw AnswerProblem(member: "id") }
    self.id = id
    peer = try json.optional("peer", json.text)
    user = try json.optional("user") { (name) throws(AnswerProblem) in try json.number(name) }
    process = try json.number("pid")
    listener = try json.number("listener")
    age = try json.seconds("age")
    received = try json.optional("received") { (name) throws(AnswerProblem) in try json.number(name) }
    sent = try json.optional("sent") { (name) throws(AnswerProblem) in try json.number(name) }
    waiting = try json.optional("waits-for") { (name) throws(AnswerProblem) in try json.word(name) }
  }
}

extension ConnectionReport {
  init(_ json: JSONValue) throws(AnswerProblem) {
    connections = try json.list("connections", ConnectionStatus.init)
    omitted = try json.number("omitted")
  }
}
