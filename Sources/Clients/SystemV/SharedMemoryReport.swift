@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Shared memory segments as they are shown.
struct SharedMemoryReport {
  let segments: [(segment: SharedMemorySegment, facts: SharedMemoryMetadata)]

  var table: String {
    var table = TextTable(.right, .left, .right, .left, .right, .right, .right, .right, .left)
    table.add("ID", "KEY", "USER", "MODE", "BYTES", "ATTACHED", "CREATOR", "LAST-PID", "REMOVED")
    for (segment, facts) in segments {
      let owner = facts.ownership
      table.add(
        "\(segment.identifier)", owner.key == .private ? "-" : "\(owner.key)", "\(owner.user)", owner.modeText,
        "\(facts.size)", "\(facts.attachedCount)", "\(facts.creatorProcess)",
        facts.lastProcess == 0 ? "-" : "\(facts.lastProcess)", facts.isMarkedForRemoval ? "with its last process" : "")
    }
    return table.text
  }

  /// Of the first, which is there.
  var object: String { objects.first ?? "null" }

  var array: String { JSON.array(objects) + "\n" }

  private var objects: [String] {
    segments.map { segment, facts in
      JSON.object(
        facts.ownership.members(identifier: segment.identifier) + [
          ("bytes", "\(facts.size)"), ("attached", "\(facts.attachedCount)"),
          ("creator_pid", "\(facts.creatorProcess)"), ("last_pid", "\(facts.lastProcess)"),
          ("marked_for_removal", "\(facts.isMarkedForRemoval)"),
        ])
    }
  }
}
