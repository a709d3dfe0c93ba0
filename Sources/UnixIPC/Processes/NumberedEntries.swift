/// What has a number for a name in a directory of /proc: processes, threads, descriptors.
///
/// Source: proc(5).
enum NumberedEntries {
  /// Nil where the directory cannot be read.
  static func of(_ path: String) -> [CInt]? {
    (try? DirectoryListing.names(in: path))?.compactMap { CInt($0) }
  }
}
