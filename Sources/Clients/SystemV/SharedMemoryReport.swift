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
  var object: String { objects.first ?? "null" }

  var array: String { JSON.array(objects) + "\n" }

  private var objects: [String] {
    segments.map { segment, metadata in
      JSON.object(
        metadata.ownership.members(identifier: segment.identifier) + [
          ("bytes", "\(metadata.size)"), ("attached", "\(metadata.attachedCount)"),
          ("creator_pid", "\(metadata.creatorProcess)"), ("last_pid", "\(metadata.lastProcess)"),
          ("marked_for_removal", "\(metadata.isMarkedForRemoval)"),
        ])
    }
  }
}
