/// What has a number for a name in a directory of /proc: processes, threads, descriptors.
///
/// Source: proc(5).
package enum NumberedEntries {
  /// Nil where the directory cannot be read.
  package static func of(_ path: String) -> [CInt]? {
    (try? DirectoryListing.names(in: path))?.compactMap { CInt($0) }
  }
}
