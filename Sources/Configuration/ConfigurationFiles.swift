import Confinement
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Finds and reads the files of a configuration.
struct ConfigurationFiles {
  /// A file's name in messages and its content.
  struct Text {
    let file: String
    let bytes: [UInt8]
  }

  static let largest = 1 << 20
  /// What is read when no file is asked for.
  static let systemFile = "/etc/begat/begatd.toml"

  /// The directory of the files that are read with a main file.
  static func directory(beside main: String) -> String {
    (main.lastIndex(of: "/").map { String(main[...$0]) } ?? "") + "conf.d"
  }

  /// Whether a file of that directory is read.
  static func isRead(_ name: String) -> Bool { name.hasSuffix(".toml") && !name.hasPrefix(".") }

  let surroundings: Surroundings
  /// Whether the main file may be `-`, for standard input, or a pipe.
  var acceptsStreams = false

  /// The file that is read where none is asked for: the user's own or else the system's; nil when there is neither.
  var usualFile: String? {
    [surroundings.userFile, surroundings.systemFile].lazy.compactMap { $0 }.first(where: isPresent)
  }

  /// A file, then `conf.d/*.toml` beside it by name.
  func read(_ main: String, problems: inout ProblemCollector) -> [Text] {
    let paths = [main] + (problems.collect(try additions(to: main)) ?? [])
    var texts: [Text] = []
    for path in paths {
      let bytes = problems.collect(try bytes(of: path))
      if let bytes { texts.append(Text(file: path, bytes: bytes)) }
    }
    return texts
  }

  /// A file that is there and cannot be looked at is a problem for its reader, not an absent one.
  private func isPresent(_ path: String) -> Bool {
    do throws(SystemCallError) {
      _ = try FileSystem.status(of: path)
      return true
    } catch { return error.code != .noSuchFileOrDirectory && error.code != .notDirectory }
  }

  private func additions(to main: String) throws(ConfigurationProblem) -> [String] {
    if acceptsStreams, isStream(main) { return [] }
    let directory = Self.directory(beside: main)
    guard isPresent(directory) else { return [] }
    try refuseForeignWriters(
      try calling(directory, try FileSystem.status(of: directory)), directory)
    let names = try calling(directory, try DirectoryListing.names(in: directory))
    return names.filter(Self.isRead)
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { "\(directory)/\($0)" }
  }

  /// Whether the name stands for what another program writes: `-`, or a shell's `<(…)`.
  private func isStream(_ path: String) -> Bool {
    path == "-" || path == "/dev/stdin" || path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
  }

  /// The whole file, read once, so that what was checked is what is used.
  private func bytes(of path: String) throws(ConfigurationProblem) -> [UInt8] {
    if acceptsStreams, isStream(path) { return try bytes(ofStream: path) }
    // Not blocking: a FIFO without a writer would hold the daemon forever.
    let descriptor = try calling(path, try Descriptor.open(path, [.readOnly, .nonBlocking]))
    let status = try calling(path, try FileSystem.status(of: descriptor, at: path))
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ConfigurationProblem(file: path, message: "not a regular file")
    }
    try refuseForeignWriters(status, path)
    return try content(of: descriptor, path)
  }

  private func bytes(ofStream path: String) throws(ConfigurationProblem) -> [UInt8] {
    try content(of: try calling(path, try Descriptor.open(path == "-" ? "/dev/stdin" : path, .readOnly)), path)
  }

  private func content(of descriptor: borrowing Descriptor, _ path: String) throws(ConfigurationProblem) -> [UInt8] {
    let bytes: [UInt8]
    do throws(SystemCallError) {
      bytes = try FileSystem.content(of: descriptor, at: path, atMost: ConfigurationFiles.largest + 1)
    } catch { throw ConfigurationProblem(file: path, message: error.code.description) }
    guard bytes.count <= ConfigurationFiles.largest else {
      throw ConfigurationProblem(file: path, message: "larger than 1 MiB")
    }
    return bytes
  }

  /// A process that can write the configuration of a begatd that is root, or may become root, has root's privileges.
  private func refuseForeignWriters(_ status: stat, _ path: String) throws(ConfigurationProblem) {
    guard surroundings.isRoot || surroundings.choosesUsers else { return }
    if status.st_uid != 0 {
      throw ConfigurationProblem(
        file: path, message: "belongs to user \(status.st_uid), who may write it; use chown root")
    }
    if status.st_mode & S_IWOTH != 0 {
      throw ConfigurationProblem(file: path, message: "anybody may write it; use chmod o-w")
    }
    if status.st_mode & S_IWGRP != 0, status.st_gid != 0 {
      throw ConfigurationProblem(file: path, message: "the group \(status.st_gid) may write it; use chmod g-w")
    }
  }

  private func calling<Value: ~Copyable>(
    _ path: String, _ body: @autoclosure () throws(SystemCallError) -> Value
  ) throws(ConfigurationProblem) -> Value {
    do throws(SystemCallError) {
      return try body()
    } catch {
      throw ConfigurationProblem(
        file: path, message: error.code.description + DaemonPrivileges.fileAdvice(error.code))
    }
  }
}
