@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// All semaphore sets as `begat sem list` shows them.
struct SemaphoreSetList {
  let sets: [(set: SemaphoreSet, facts: SemaphoreSet.Metadata)]

  var table: String {
    var table = TextTable(.right, .left, .right, .left, .right)
    table.add("ID", "KEY", "USER", "MODE", "COUNT")
    for (set, facts) in sets {
      let owner = facts.ownership
      table.add(
        "\(set.identifier)", owner.key == .private ? "-" : "\(owner.key)", "\(owner.user)", owner.modeText,
        "\(facts.count)")
    }
    return table.text
  }

  var json: String {
    JSON.array(
      sets.map { set, facts in
        JSON.object(
          facts.ownership.members(identifier: set.identifier) + [
            ("count", "\(facts.count)"), ("last_operation", facts.lastOperation.map(String.init) ?? "null"),
          ])
      }) + "\n"
  }
}
