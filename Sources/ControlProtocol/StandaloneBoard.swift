import CSharedLayouts
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The scoreboard of a listener that runs without begatd: a file in the runtime directory, where `begat ps` finds it.
///
/// The listener holds a lock of the file as long as it lives: a file without one is a dead listener's.
public struct StandaloneBoard: ~Copyable {
  public let object: Descriptor
  /// The directory of the file.
  public let directory: String
  private let path: String

  /// The directory of such files in a runtime directory.
  public static func directory(in runtime: String) -> String { "\(runtime)/listeners" }

  private init(_ object: consuming Descriptor, at path: String, in directory: String) {
    self.object = object
    self.directory = directory
    self.path = path
  }

  /// Makes the file; nil where it cannot be made, as in a file system that is mounted read-only.
  ///
  /// - Parameter service: a name of a service.
  public static func make(
    service: String, slotCount: Int, in runtime: String = RuntimeDirectory.path
  ) -> StandaloneBoard? {
    let directory = directory(in: runtime)
    guard makeDirectory(runtime, mode: geteuid() == 0 ? 0o755 : 0o700), makeDirectory(directory, mode: 0o700) else {
      return nil
    }
    let path = "\(directory)/\(service).\(getpid())"
    // One of a dead process that had the same number.
    unlink(path)
    do throws(SystemCallError) {
      let object = try Descriptor.open(path, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600)
      guard try object.tryLock(.exclusive) else { return nil }
      try MemoryFile.grow(object, to: Scoreboard.size(slotCount: slotCount))
      return StandaloneBoard(object, at: path, in: directory)
    } catch { return nil }
  }

  /// Removes the file, where this process still may.
  public func remove() { unlink(path) }

  /// Whether there is a directory that no other user can change, made here where it is missing.
  private static func makeDirectory(_ path: String, mode: mode_t) -> Bool {
    if mkdir(path, mode) == 0 { return true }
    var status = stat()
    // The service manager's own may belong to another user, or be a link.
    let isGiven = getenv("RUNTIME_DIRECTORY") != nil
    let found = isGiven ? stat(path, &status) : lstat(path, &status)
    return found == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_mode & S_IWOTH == 0
      && (isGiven || status.st_uid == geteuid())
  }
}

extension Scoreboard {
  /// Writes down where the listener listens, for readers that have no other source.
  ///
  /// - Parameter addresses: those that have no room are left out.
  public func show(_ addresses: [(text: String, isDatagram: Bool)]) {
    var text = ByteWriter(
      UnsafeMutableRawBufferPointer(
        start: begat_addresses(header), count: MemoryLayout.size(ofValue: header.pointee.addresses)))
    for address in addresses {
      let line = "\(address.isDatagram ? "d" : "s") \(address.text)\n"
      guard text.count + line.utf8.count <= 1024 else { return }
      text.append(line)
    }
  }
}

extension ScoreboardReader {
  /// The addresses that `Scoreboard.show` wrote; any text can be in them.
  public var addresses: [(text: String, isDatagram: Bool)] {
    withUnsafeBytes(of: header.pointee.addresses) { bytes in
      bytes.prefix { $0 != 0 }.split(separator: UInt8(ascii: "\n")).compactMap { line in
        let text = String(decoding: line.dropFirst(2), as: UTF8.self)
        return text.isEmpty ? nil : (text, line.first == UInt8(ascii: "d"))
      }
    }
  }

  public var isDraining: Bool { header.pointee.is_draining != 0 }
}
