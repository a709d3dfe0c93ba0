import Glibc
import Settings
@_spi(Begat) import UnixCore

extension StandaloneBoard {
  /// The directory that contains the runtime directories of units without begatd, one for each instance of
  /// `begat-listener@.service`.
  public static let unitDirectories = "/run/begat-listener"

  /// The runtime directories of such units.
  public static func runtimeDirectories(below path: String = unitDirectories) -> [String] {
    ((try? DirectoryListing.names(in: path)) ?? []).sorted().map { "\(path)/\($0)" }
  }

  /// The scoreboards of all live listeners with a file in a runtime directory, sorted by file name.
  ///
  /// Files of dead ones are removed, but only from a directory that no other user can change.
  public static func readers(in runtime: String = RuntimeDirectory.path) -> [ScoreboardReader] {
    do throws(SystemCallError) {
      let directory = try Descriptor.open(directory(in: runtime), [.readOnly, .directory, .noFollow])
      let owner = try FileMetadata(of: directory).owner
      let danger = try UnsafeDirectory.find(on: runtime)
      let isOwn = owner == geteuid() && danger == nil
      // This path means the opened directory even if its name is moved.
      let path = "/proc/self/fd/\(directory.number)"
      let names = try DirectoryListing.names(in: path, atMost: owner == geteuid() ? .max : maxForeignFiles).sorted()
      return names.compactMap { isOwn ? reader(at: "\(path)/\($0)") : foreignReader(at: "\(path)/\($0)", of: owner) }
    } catch { return [] }
  }

  private static func reader(at path: String) -> ScoreboardReader? {
    do throws(SystemCallError) {
      let file = try Descriptor.open(path, [.readOnly, .noFollow, .nonBlocking])
      if try file.tryLock(.shared) {
        // A file is empty between its creation and its lock.
        if try MemoryFile.size(of: file) > 0 { unlink(path) }
        return nil
      }
      let reader = try ScoreboardReader(file)
      return reader.isReadable ? reader : nil
    } catch { return nil }
  }

  // MARK: Other users' listeners

  /// A unit has one listener, and for a moment the one before it.
  private static let maxForeignFiles = 4

  /// Reads the scoreboard of another user's listener.
  ///
  /// That user may write anything to the file, cut it short at any time, and put other files into its place: nothing is
  /// removed, no file but a regular one of that user's is read, and what is read is a copy.
  private static func foreignReader(at path: String, of owner: uid_t) -> ScoreboardReader? {
    do throws(SystemCallError) {
      let file = try Descriptor.open(path, [.readOnly, .noFollow, .nonBlocking])
      let metadata = try FileMetadata(of: file)
      guard metadata.isRegular, metadata.owner == owner, try !file.tryLock(.shared) else { return nil }
      let reader = try ScoreboardReader(copyOf: file)
      // The board could name another user's process, which root would then signal.
      guard reader.isReadable, isProcess(reader.listener, of: owner) else { return nil }
      return reader
    } catch { return nil }
  }

  private static func isProcess(_ number: pid_t, of user: uid_t) -> Bool {
    number > 0 && (try? FileMetadata(at: UnixPath("/proc/\(number)")))?.owner == user
  }
}
