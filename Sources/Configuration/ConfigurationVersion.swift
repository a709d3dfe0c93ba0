import Confinement
import Glibc
@_spi(Begat) import UnixCore

/// The files of a configuration at one moment, without their contents: two that differ are of different times, between
/// which a file was changed.
public struct ConfigurationVersion: Hashable, Sendable {
  private struct Stamp: Hashable, Sendable {
    let path: String
    let device: dev_t
    let inode: ino_t
    let size: off_t
    let mode: mode_t
    /// The last change of anything but the name.
    let seconds: time_t
    let nanoseconds: Int
  }

  /// None for a file that is not there.
  private let stamps: [Stamp]

  /// - Parameter file: as for `Configuration.load`.
  public init(file: String?) {
    // One that does not exist may be made.
    let usual = [
      UserConfiguration.file(of: geteuid(), .effective), ConfigurationFiles.systemFile,
    ].compactMap { $0 }
    let paths = (file.map { [$0] } ?? usual).flatMap { main in
      let directory = ConfigurationFiles.directory(beside: main)
      let names = (try? DirectoryListing.names(in: directory)) ?? []
      return [main, directory] + names.filter(ConfigurationFiles.isRead).sorted().map { "\(directory)/\($0)" }
    }
    stamps = paths.compactMap { path in
      guard let status = try? FileSystem.status(of: path) else { return nil }
      return Stamp(
        path: path, device: status.st_dev, inode: status.st_ino, size: status.st_size, mode: status.st_mode,
        seconds: status.st_ctim.tv_sec, nanoseconds: status.st_ctim.tv_nsec)
    }
  }
}
