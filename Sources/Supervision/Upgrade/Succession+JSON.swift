import Glibc
import JSON
@_spi(Begat) import UnixCore

/// The document as JSON, in a file in memory.
extension Succession {
  /// Writes the document into a file of its own.
  func write() throws(SystemCallError) -> Descriptor { try MemoryDocument.write(json, name: "begat-succession") }

  /// Reads a document that may be anything.
  init(reading file: borrowing Descriptor) throws(SavedState.Problem) {
    let value = try MemoryDocument.read(file)
    guard let format = value["format"]?.integer, format == Self.format else {
      throw SavedState.Problem(description: "the program before hands over in another format than \(Self.format)")
    }
    do throws(AnswerProblem) { try self.init(value) } catch {
      throw SavedState.Problem(description: "\(error.member): missing, or nothing that can stand there")
    }
  }

  var json: JSONValue {
    [
      "format": .count(Self.format), "version": .string(version), "kept": .array(kept.map(\.json)),
      "stored": .optional(stored) { .array($0.map { .string($0) }) }, "passed": .array(passed.map(\.json)),
      "doors": .array(doors.map(\.json)),
      "asker": .optional(asker) { .integer(Int64($0)) }, "begatd": begatd.json, "listener": listener.json,
      "upgrade-path": .string(upgradePath), "detached": .boolean(isDetached),
      "start-time": .integer(startTime),
      "reloads": .count(reloads), "refused-reloads": .count(refusedReloads),
      "kept-drains": .array(keptDrains.map { .string($0) }),
    ]
  }

  init(_ value: JSONValue) throws(AnswerProblem) {
    version = try value.text("version")
    kept = try value.list("kept", Named.init)
    stored = try value.optional("stored") { (name) throws(AnswerProblem) in try value.texts(name) }
    passed = try value.list("passed", Named.init)
    doors = try value.list("doors", Door.init)
    asker = try value.optional("asker") { (name) throws(AnswerProblem) in try value.number(name) }
    begatd = try Held(try value.required("begatd"))
    listener = try Held(try value.required("listener"))
    upgradePath = try value.text("upgrade-path")
    isDetached = try value.flag("detached")
    startTime = try value.number("start-time")
    reloads = try value.number("reloads")
    refusedReloads = try value.number("refused-reloads")
    keptDrains = try value.texts("kept-drains")
  }
}

extension Succession.Named {
  fileprivate var json: JSONValue { ["name": .string(name), "number": .integer(Int64(number))] }

  fileprivate init(_ value: JSONValue) throws(AnswerProblem) {
    name = try value.text("name")
    number = try value.number("number")
  }
}

extension Succession.Held {
  fileprivate var json: JSONValue { ["path": .string(path), "number": .integer(Int64(number))] }

  fileprivate init(_ value: JSONValue) throws(AnswerProblem) {
    path = try value.text("path")
    number = try value.number("number")
  }
}

extension Succession.Door {
  fileprivate var json: JSONValue {
    [
      "path": .string(path), "number": .integer(Int64(number)), "takes-orders": .boolean(takesOrders),
      "device": .integer(Int64(bitPattern: device)), "inode": .integer(Int64(bitPattern: inode)),
    ]
  }

  fileprivate init(_ value: JSONValue) throws(AnswerProblem) {
    path = try value.text("path")
    number = try value.number("number")
    takesOrders = try value.flag("takes-orders")
    device = UInt64(bitPattern: try value.number("device"))
    inode = UInt64(bitPattern: try value.number("inode"))
  }
}
