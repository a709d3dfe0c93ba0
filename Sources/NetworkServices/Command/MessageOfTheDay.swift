import Glibc
@_spi(Begat) import UnixCore

/// The machine's greeting at a login.
///
/// Source: motd(5).
public enum MessageOfTheDay {
  /// Where the machine has it.
  public static let usualPath = "/etc/motd"

  /// Reads at most 64 KiB; empty where there is none.
  public static func read(_ path: String = usualPath) -> [UInt8] {
    guard let file = try? Descriptor.open(path, [.readOnly, .nonBlocking]) else { return [] }
    return [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
      while count < room.count {
        let rest = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: room[count...]))
        guard let length = try? file.read(into: rest), length > 0 else { return }
        count += length
      }
    }
  }
}
