import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Counts who opens and closes files.
///
/// inotify(7) announces two openings as one when nothing came between them.  This keeps those of two processes apart:
/// fanotify(7) joins events of one process only.  Counts nothing where the kernel, the file system or a sandbox does not
/// let an ordinary user have it (before Linux 5.13; a container's default rules).
///
/// Source: fanotify(7), name_to_handle_at(2).
struct OpeningCounter: ~Copyable, Sendable {
  private let descriptor: Descriptor?

  init() {
    let number = platform_opening_counter()
    descriptor = number == -1 ? nil : Descriptor(owning: number)
  }

  /// - Returns: by what the file is known in events; nil where it cannot be counted.
  func add(_ path: UnixPath) -> [UInt8]? {
    guard let number = number,
      (try? check("fanotify_mark", path: path) { platform_count_openings(number, $0, 1) }) != nil
    else { return nil }
    var handle = [UInt8](repeating: 0, count: 256)
    let length = try? check("name_to_handle_at", path: path) { platform_file_handle($0, &handle, handle.count) }
    return length.map { Array(handle[..<Int($0)]) }
  }

  func remove(_ path: UnixPath) {
    guard let number = number else { return }
    _ = try? check("fanotify_mark", path: path) { platform_count_openings(number, $0, 0) }
  }

  private var number: CInt? {
    switch descriptor {
    case .some(let descriptor): descriptor.number
    case .none: nil
    }
  }

  /// Passes on what has happened so far: the file, whether it was opened, whether a reader closed it.
  func take(_ body: (ArraySlice<UInt8>, Bool, Bool) -> Void) {
    guard let number = number else { return }
    var room = [UInt8](repeating: 0, count: 8192)
    while true {
      let length = read(number, &room, room.count)
      if length < 0, errno == EINTR { continue }
      if length <= 0 { return }
      var start = 0
      while start + Self.handleOffset + 8 <= length {
        let event = room.withUnsafeBytes { bytes in
          bytes.loadUnaligned(fromByteOffset: start, as: fanotify_event_metadata.self)
        }
        let end = start + Int(event.event_len)
        guard event.event_len > Self.handleOffset, end <= length else { return }
        let isOpening = event.mask & 0x20 != 0
        let isClosing = event.mask & 0x10 != 0
        body(room[(start + Self.handleOffset)..<end], isOpening, isClosing)
        start = end
      }
    }
  }

  /// After the event's head come four bytes of kind and length and eight of the file system.
  private static let handleOffset = MemoryLayout<fanotify_event_metadata>.size + 12
}
