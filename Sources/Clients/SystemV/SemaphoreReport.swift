import Glibc
import JSON
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// A semaphore set as it is shown.
struct SemaphoreReport {
  struct Semaphore {
    let value: UInt16
    let waitersForZero: Int
    let waitersForIncrease: Int
    let lastProcess: pid_t
  }

  let identifier: CInt
  let metadata: SemaphoreSet.Metadata
  let semaphores: [Semaphore]
}

extension SemaphoreReport {
  init(of set: SemaphoreSet) throws(SystemCallError) {
    identifier = set.identifier
    metadata = try set.metadata()
    var semaphores: [Semaphore] = []
    for (index, value) in try set.values().enumerated() {
      semaphores.append(
        Semaphore(
          value: value, waitersForZero: try set.waitersForZero(index),
          waitersForIncrease: try set.waitersForIncrease(index), lastProcess: try set.lastProcess(index)))
    }
    self.semaphores = semaphores
  }

  var table: String {
    let owner = metadata.ownership
    var table = TextTable(.right, .right, .right, .right, .right)
    table.add("INDEX", "VALUE", "WAIT-ZERO", "WAIT-MORE", "LAST-PID")
    for (index, semaphore) in semaphores.enumerated() {
      table.add(
        "\(index)", "\(semaphore.value)", "\(semaphore.waitersForZero)", "\(semaphore.waitersForIncrease)",
        semaphore.lastProcess == 0 ? "-" : "\(semaphore.lastProcess)")
    }
    return "key \(owner.key), id \(identifier), user \(owner.user), mode \(owner.modeText)\n" + table.text
  }

  var json: String {
    let semaphores = semaphores.enumerated().map { index, semaphore in
      [
        "index": .count(index), "value": .count(semaphore.value), "waiting_for_zero": .count(semaphore.waitersForZero),
        "waiting_for_more": .count(semaphore.waitersForIncrease), "last_pid": .count(semaphore.lastProcess),
      ] as JSONValue
    }
    let object = JSONValue.object(
      metadata.ownership.members(identifier: identifier) + [
        .init("last_operation", .optional(metadata.lastOperation) { .count($0) }),
        .init("semaphores", .array(semaphores)),
      ])
    return object.text + "\n"
  }
}

extension SystemVOwnership {
  /// "0600"
  var modeText: String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// As JSON has it.
  func members(identifier: CInt) -> [JSONValue.Member] {
    [
      .init("id", .count(identifier)), .init("key", .string("\(key)")), .init("uid", .count(user)),
      .init("gid", .count(group)), .init("creator_uid", .count(creator)), .init("mode", .string(modeText)),
    ]
  }
}
