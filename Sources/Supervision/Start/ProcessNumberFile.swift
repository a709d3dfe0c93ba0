import Glibc
@_spi(Begat) import UnixCore

/// The file that tells scripts begatd's process number: one line.
enum ProcessNumberFile {
  /// Everyone may read it.
  private static let mode: mode_t = 0o644

  /// Puts the file in place whole: a reader finds no file, or a number.
  static func write(_ path: String) throws(SystemCallError) {
    let file = try FileReplacement(of: path, mode: mode)
    // begatd's umask is for what clients are not to see.
    _ = fchmod(file.contents.number, mode)
    try file.contents.writeAll("\(getpid())\n")
    try file.commit()
  }

  /// Removes the file unless another begatd has written it meanwhile.
  static func removeIfOurs(_ path: String) {
    guard let file = try? Descriptor.open(UnixPath(path), .readOnly), let bytes = try? file.readPrefix(32),
      bytes == Array("\(getpid())\n".utf8)
    else { return }
    unlink(path)
  }
}
