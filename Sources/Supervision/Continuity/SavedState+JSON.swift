import ControlProtocol
import JSON
import Settings
@_spi(Begat) import UnixCore

/// The document as JSON.
extension SavedState {
  var json: JSONValue {
    [
      "format": .count(Self.format), "program": .string(program), "bans": .count(bans),
      "sockets": .array(sockets.map(\.json)), "services": .array(services.map(\.json)),
      "service-numbers": .array(serviceNumbers.map { ["service": .string($0.service), "number": .count($0.number)] }),
    ]
  }

  init(_ value: JSONValue) throws(AnswerProblem) {
    program = try value.text("program")
    bans = try value.number("bans")
    sockets = try value.list("sockets") { (value) throws(AnswerProblem) in try Socket(value) }
    services = try value.list("services") { (value) throws(AnswerProblem) in try Service(value) }
    serviceNumbers = try value.list("service-numbers") { (value) throws(AnswerProblem) in
      ServiceNumber(service: try value.text("service"), number: try value.number("number"))
    }
  }
}

extension SavedState.Socket {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "service": .string(service),
      "wanted": .optional(wanted) { .string($0.description) },
      "file": .optional(file) { ["device": .bits($0.device), "inode": .bits($0.inode)] },
    ]
  }

  fileprivate init(_ value: JSONValue) throws(AnswerProblem) {
    name = try value.text("name")
    service = try value.text("service")
    wanted = try value.optional("wanted") { (name) throws(AnswerProblem) in
      guard let address = SocketAddress(try value.text(name)) else { throw AnswerProblem(member: name) }
      return address
    }
    file = try value.optional("file") { (name) throws(AnswerProblem) in
      let file = try value.required(name)
      return SavedState.File(device: try file.bits("device"), inode: try file.bits("inode"))
    }
  }
}

extension SavedState.Service {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "last-generation": .count(lastGeneration), "drained": .boolean(isDrained),
      "started": .optional(startTime) { .integer($0) }, "closing-time": .optional(closingTime) { .integer($0) },
      "log-address": .string(logAddress.rawValue), "waits": .boolean(waits), "totals": totals.json,
      "generations": .array(generations.map(\.json)),
    ]
  }

  fileprivate init(_ value: JSONValue) throws(AnswerProblem) {
    name = try value.text("name")
    guard isServiceName(name) else { throw AnswerProblem(member: "name") }
    lastGeneration = try value.number("last-generation")
    isDrained = try value.flag("drained")
    startTime = try value.optional("started") { (name) throws(AnswerProblem) in try value.number(name) }
    closingTime = try value.optional("closing-time") { (name) throws(AnswerProblem) in try value.number(name) }
    logAddress = try value.word("log-address")
    waits = try value.flag("waits")
    totals = try ServiceCounters(try value.required("totals"))
    generations = try value.list("generations") { (value) throws(AnswerProblem) in try SavedState.Generation(value) }
  }
}

extension SavedState.Generation {
  fileprivate var json: JSONValue {
    [
      "number": .count(number), "process": .count(process), "column": .count(column), "slots": .count(slotCount),
      "state": .string("\(state)"), "started": .integer(startTime),
      "ready-since": .optional(readySince) { .integer($0) },
      "records-received": .optional(recordsReceived) { .count($0) }, "shows-state": .boolean(showsState),
      "sockets": .array(sockets.map { ["number": .count($0.number), "address": .string($0.address)] }),
    ]
  }

  /// No scoreboard has as many.
  private static let mostSlots = 1 << 24

  fileprivate init(_ value: JSONValue) throws(AnswerProblem) {
    number = try value.number("number")
    process = try value.number("process")
    column = try value.number("column")
    slotCount = try value.number("slots")
    guard number > 0, process > 1, (0..<ManagedService.maxGenerations).contains(column),
      (0...Self.mostSlots).contains(slotCount)
    else {
      throw AnswerProblem(member: "number, process, column or slots")
    }
    let word = try value.text("state")
    guard let state = Supervision.Generation.State.allCases.first(where: { "\($0)" == word }) else {
      throw AnswerProblem(member: "state")
    }
    self.state = state
    startTime = max(0, try value.number("started"))
    readySince = try value.optional("ready-since") { (name) throws(AnswerProblem) in max(0, try value.number(name)) }
    recordsReceived = try value.optional("records-received") { (name) throws(AnswerProblem) in try value.number(name) }
    showsState = try value.flag("shows-state")
    sockets = try value.list("sockets") { (value) throws(AnswerProblem) in
      SavedState.SocketName(number: try value.number("number"), address: try value.text("address"))
    }
  }
}

extension JSONValue {
  /// A number of which every bit counts.
  fileprivate static func bits(_ number: UInt64) -> JSONValue { .integer(Int64(bitPattern: number)) }

  fileprivate func bits(_ name: String) throws(AnswerProblem) -> UInt64 {
    UInt64(bitPattern: try number(name))
  }
}
