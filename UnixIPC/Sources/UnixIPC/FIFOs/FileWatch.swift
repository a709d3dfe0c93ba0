import CPlatform
@_spi(Begat) import UnixCore

/// Tells that files are opened, read or moved.
///
/// Source: inotify(7).
struct FileWatch: ~Copyable, Sendable {
  /// Readable when something has happened.
  let descriptor: Descriptor

  init() throws(SystemCallError) {
    descriptor = Descriptor(owning: try check("inotify_init1") { inotify_init1(closeOnExecFlag | nonBlockingFlag) })
  }

  /// - Returns: the number by which the file is known in events.
  func add(_ path: UnixPath, _ events: Int32) throws(SystemCallError) -> CInt {
    try check("inotify_add_watch", path: path) { inotify_add_watch(descriptor.number, $0, UInt32(events)) }
  }

  func remove(_ watch: CInt) { inotify_rm_watch(descriptor.number, watch) }

  /// Passes on what has happened so far, file and events each.
  func take(_ body: (CInt, UInt32) -> Void) {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { room in
      while let length = try? descriptor.read(into: room), length > 0 {
        var start = 0
        while start + MemoryLayout<inotify_event>.size <= length {
          let event = room.load(fromByteOffset: start, as: inotify_event.self)
          body(event.wd, event.mask)
          start += MemoryLayout<inotify_event>.size + Int(event.len)
        }
      }
    }
  }
}
