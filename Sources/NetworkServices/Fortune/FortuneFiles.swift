import Glibc
@_spi(Begat) import UnixCore

/// A fortune database on disk: a text, and the index beside it where there is one.
struct FortuneFile: Hashable {
  let path: String
  let indexPath: String?
}

/// Finds the databases that are named, as files or as directories of them.
///
/// In a directory a database is `NAME` with `NAME.dat`; without any `.dat` in it, every plain file is one.  Offensive
/// ones are those in a directory `off` and those whose name ends in `-o`; they are left out unless asked for.
///
/// Source: fortune(6).
struct FortuneFiles {
  let includesOffensive: Bool

  /// Endings that fortune(6) never takes for a database's name.
  private static let otherEndings = [
    ".dat", ".u8", ".pos", ".c", ".h", ".p", ".i", ".f", ".pas", ".ftn", ".ins.c", ".sml",
  ]

  func find(_ path: String) throws(SystemCallError) -> [FortuneFile] {
    var status = stat()
    guard stat(path, &status) == 0 else { throw SystemCallError("stat", on: path, code: ErrorCode(rawValue: errno)) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      let index = path + ".dat"
      return [FortuneFile(path: path, indexPath: access(index, F_OK) == 0 ? index : nil)]
    }
    return try inDirectory(path)
  }

  private func inDirectory(_ path: String) throws(SystemCallError) -> [FortuneFile] {
    let names = try DirectoryListing.names(in: path).sorted()
    let candidates = names.filter { name in
      !name.hasPrefix(".") && !FortuneFiles.otherEndings.contains { name.hasSuffix($0) }
        && (includesOffensive || !name.hasSuffix("-o")) && isPlainFile(path + "/" + name)
    }
    let present = Set(names)
    let indexed = candidates.filter { present.contains($0 + ".dat") }
    let chosen = indexed.isEmpty ? candidates : indexed
    var found = chosen.map { name in
      FortuneFile(path: "\(path)/\(name)", indexPath: present.contains(name + ".dat") ? "\(path)/\(name).dat" : nil)
    }
    if includesOffensive, present.contains("off"), !isPlainFile(path + "/off") {
      found += try inDirectory(path + "/off")
    }
    return found
  }

  private func isPlainFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
