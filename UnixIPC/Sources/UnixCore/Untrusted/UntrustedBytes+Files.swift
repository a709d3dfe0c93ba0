/// Checks for names of files.
///
/// They keep a name below a directory as far as a check of text can: a symbolic link there may lead anywhere.  Open the
/// file by `Descriptor.open(beneath:)`, where the kernel follows no link.
extension UntrustedBytes {
  /// Accepts one name in a directory: a text of 1 to 255 bytes without a slash that begins with neither a dot nor a hyphen.
  ///
  /// So it is neither `.` nor `..`, is not hidden, and is no option of a program that gets it as an argument.
  public func fileName() throws(CheckError) -> String {
    if let reason = reasonAgainstFileName { throw failure(reason) }
    return try text()
  }

  /// Accepts names as ``fileName()`` does with one slash between two of them and none at the beginning or end.
  public func relativePath() throws(CheckError) -> String {
    guard !isEmpty else { throw failure(.empty) }
    guard count < UntrustedBytes.longestPath else { throw failure(.tooLong(limit: UntrustedBytes.longestPath - 1)) }
    guard !hasPrefix("/") else { throw failure(.absolute) }
    for name in fields(separatedBy: "/") {
      guard let reason = name.reasonAgainstFileName else { continue }
      throw failure(reason == .empty ? .emptyName : reason)
    }
    return try text()
  }

  /// Accepts a path as ``relativePath()`` does, and appends it to a directory.
  ///
  /// - Parameter directory: the caller's; an empty one is the working directory.
  public func path(below directory: String) throws(CheckError) -> String {
    let relative = try relativePath()
    guard !directory.isEmpty else { return relative }
    let path = directory.utf8.last == UInt8(ascii: "/") ? directory + relative : "\(directory)/\(relative)"
    guard path.utf8.count < UntrustedBytes.longestPath else {
      throw failure(.tooLong(limit: max(0, UntrustedBytes.longestPath - 2 - directory.utf8.count)))
    }
    return path
  }

  /// PATH_MAX, the NUL at the end counted.
  private static let longestPath = 4096

  private var reasonAgainstFileName: CheckError.Reason? {
    if isEmpty { return .empty }
    if isWord("..") { return .leavesDirectory }
    if hasPrefix(".") { return .beginsWithDot }
    if hasPrefix("-") { return .beginsWithHyphen }
    if count > 255 { return .tooLong(limit: 255) }
    return withUncheckedBytes { $0.contains(UInt8(ascii: "/")) } ? .containsSlash : nil
  }
}
