import ControlProtocol
import JSON

/// Counts in the state document: each list of numbers has the order of its codes.
extension ServiceCounters {
  var json: JSONValue {
    var members = Self.numbers.map { JSONValue.Member($0.name, .count(self[keyPath: $0.path])) }
    members += Self.lists.map { JSONValue.Member($0.name, .array(self[keyPath: $0.path].map(JSONValue.count))) }
    members += Self.histories.map { JSONValue.Member($0.name, self[keyPath: $0.path].json) }
    return .object(members)
  }

  /// Counts that are missing, as in a document of another version, are 0.
  init(_ value: JSONValue) throws(AnswerProblem) {
    self.init()
    for (name, path) in Self.numbers {
      if let number = try value.optional(
        name, { (name) throws(AnswerProblem) in try value.number(name, as: UInt64.self) })
      {
        self[keyPath: path] = number
      }
    }
    for (name, path) in Self.lists {
      if let list: [UInt64] = try value.optional(name, { (name) throws(AnswerProblem) in try value.numbers(name) }) {
        self[keyPath: path] = list
      }
    }
    for (name, path) in Self.histories {
      let history = try value.optional(name) { (name) throws(AnswerProblem) in try value.required(name) }
      if let history { try self[keyPath: path].read(history) }
    }
  }

  private typealias Path<Value> = (name: String, path: WritableKeyPath<ServiceCounters, Value>)

  private static var numbers: [Path<UInt64>] {
    [
      ("accepted", \.accepted), ("ended", \.ended), ("records", \.records), ("records-dropped", \.recordsDropped),
      ("datagrams-answered", \.datagramsAnswered), ("datagrams-ignored", \.datagramsIgnored),
      ("ended-by-reload", \.endedByReload), ("duration-sum", \.durationSum), ("bytes-received", \.bytesReceived),
      ("bytes-sent", \.bytesSent),
    ]
  }
  private static var lists: [Path<[UInt64]>] {
    [
      ("refused", \.refused), ("datagrams-refused", \.datagramsRefused), ("outcomes", \.outcomes),
      ("durations", \.durations),
    ]
  }
  private static var histories: [Path<EventHistory>] {
    [
      ("accepted-history", \.acceptedHistory), ("refused-history", \.refusedHistory),
      ("accepted-seconds", \.acceptedSeconds),
    ]
  }
}

extension EventHistory {
  fileprivate var json: JSONValue { ["newest": .integer(newest), "counts": .array(counts.map(JSONValue.count))] }

  /// A history of another length is another version's.
  fileprivate mutating func read(_ value: JSONValue) throws(AnswerProblem) {
    let counts: [UInt32] = try value.numbers("counts")
    guard counts.count == self.counts.count else { return }
    newest = max(0, try value.number("newest"))
    self.counts = counts
  }
}
