import Glibc
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
      JSON.object([
        ("index", "\(index)"), ("value", "\(semaphore.value)"), ("waiting_for_zero", "\(semaphore.waitersForZero)"),
        ("waiting_for_more", "\(semaphore.waitersForIncrease)"), ("last_pid", "\(semaphore.lastProcess)"),
      ])
    }
    return JSON.object(
      metadata.ownership.members(identifier: identifier) + [
        ("last_operation", metadata.lastOperation.map(String.init) ?? "null"), ("semaphores", JSON.array(semaphores)),
      ]) + "\n"
  }
}

extension SystemVOwnership {
  /// "0600"
  var modeText: String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// As JSON has it.
  func members(identifier: CInt) -> [(name: String, value: String)] {
    [
      ("id", "\(identifier)"), ("key", JSON.quoted("\(key)")), ("uid", "\(user)"), ("gid", "\(group)"),
      ("creator_uid", "\(creator)"), ("mode", JSON.quoted(modeText)),
    ]
  }
}
