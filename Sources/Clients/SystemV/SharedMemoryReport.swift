import JSON
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Shared memory segments as they are shown.
struct SharedMemoryReport {
  let segments: [(segment: SharedMemorySegment, metadata: SharedMemoryMetadata)]

  var table: String {
    var table = TextTable(.right, .left, .right, .left, .right, .right, .right, .right, .left)
    table.add("ID", "KEY", "USER", "MODE", "BYTES", "ATTACHED", "CREATOR", "LAST-PID", "REMOVED")
    for (segment, metadata) in segments {
      let owner = metadata.ownership
      table.add(
        "\(segment.identifier)", owner.key == .private ? "-" : "\(owner.key)", "\(owner.user)", owner.modeText,
        "\(metadata.size)", "\(metadata.attachedCount)", "\(metadata.creatorProcess)",
        metadata.lastProcess == 0 ? "-" : "\(metadata.lastProcess)",
        metadata.isMarkedForRemoval ? "with its last process" : "")
    }
    return table.text
  }

  /// Of the first, which is there.
  var object: String { (objects.first ?? .null).text + "\n" }

  var array: String { JSONValue.array(objects).text + "\n" }

  private var objects: [JSONValue] {
    segments.map { segment, metadata in
      .object(
        metadata.ownership.members(identifier: segment.identifier) + [
          .init("bytes", .count(metadata.size)), .init("attached", .count(metadata.attachedCount)),
          .init("creator_pid", .count(metadata.creatorProcess)), .init("last_pid", .count(metadata.lastProcess)),
          .init("marked_for_removal", .boolean(metadata.isMarkedForRemoval)),
        ])
    }
  }
}
