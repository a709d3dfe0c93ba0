import JSON
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// All semaphore sets as `begat sem list` shows them.
struct SemaphoreSetList {
  let sets: [(set: SemaphoreSet, metadata: SemaphoreSet.Metadata)]

  var table: String {
    var table = TextTable(.right, .left, .right, .left, .right)
    table.add("ID", "KEY", "USER", "MODE", "COUNT")
    for (set, metadata) in sets {
      let owner = metadata.ownership
      table.add(
        "\(set.identifier)", owner.key == .private ? "-" : "\(owner.key)", "\(owner.user)", owner.modeText,
        "\(metadata.count)")
    }
    return table.text
  }

  var json: String {
    let objects = sets.map { set, metadata in
      JSONValue.object(
        metadata.ownership.members(identifier: set.identifier) + [
          .init("count", .count(metadata.count)),
          .init("last_operation", .optional(metadata.lastOperation) { .count($0) }),
        ])
    }
    return JSONValue.array(objects).text + "\n"
  }
}
