/// Checks for names of files.
///
/// They keep a name below a directory as far as text can: a symbolic link there may lead anywhere.  That is the opener's
/// business, and the kernel answers for it: `Descriptor.open(beneath:)`.
extension UntrustedBytes {
  /// One name in a directory: a text of 1 to 255 bytes without a slash, a dot or a hyphen first.
  ///
  /// So it is neither `.` nor `..`, hides nothing, and is no option of the program that it is handed to.
  public func fileName() throws(Refusal) -> String {
    if let reason = reasonAgainstFileName { throw refusal(reason) }
    return try text()
  }

  /// Names as in `fileName` with one slash between two of them, never one at the beginning or end.
  public func relativePath() throws(Refusal) -> String {
    guard !isEmpty else { throw refusal(.empty) }
    guard count < UntrustedBytes.longestPath else { throw refusal(.tooLong(limit: UntrustedBytes.longestPath - 1)) }
    guard !hasPrefix("/") else { throw refusal(.absolute) }
    for name in fields(separatedBy: "/") {
      guard let reason = name.reasonAgainstFileName else { continue }
      throw refusal(reason == .empty ? .emptyName : reason)
    }
    return try text()
  }

  /// The path of `relativePath` in a directory.
  ///
  /// - Parameter directory: one's own; an empty one is the working directory.
  public func path(below directory: String) throws(Refusal) -> String {
    let relative = try relativePath()
    guard !directory.isEmpty else { return relative }
    let path = directory.utf8.last == UInt8(ascii: "/") ? directory + relative : "\(directory)/\(relative)"
    guard path.utf8.count < UntrustedBytes.longestPath else {
      throw refusal(.tooLong(limit: max(0, UntrustedBytes.longestPath - 2 - directory.utf8.count)))
    }
    return path
  }

  /// PATH_MAX, the NUL at the end counted.
  private static let longestPath = 4096

  private var reasonAgainstFileName: Refusal.Reason? {
    if isEmpty { return .empty }
    if isWord("..") { return .leavesDirectory }
    if hasPrefix(".") { return .beginsWithDot }
    if hasPrefix("-") { return .beginsWithHyphen }
    if count > 255 { return .tooLong(limit: 255) }
    return withUncheckedBytes { $0.contains(UInt8(ascii: "/")) } ? .containsSlash : nil
  }
}
