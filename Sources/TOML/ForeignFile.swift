/// An error for a file that was written for another program, by its first line that is neither empty nor a comment.
///
/// Source: xinetd.conf(5), inetd.conf(5).
func foreignFile(_ bytes: [UInt8]) -> TOMLError? {
  var cursor = Cursor(bytes)
  skipToSignificantLine(&cursor)
  let words = words(ofLineAt: cursor)
  if isInetd(words) { return cursor.fault("this looks like a file of inetd, not TOML") }
  return isXinetd(words, at: cursor) ? cursor.fault("this looks like a file of xinetd, not TOML") : nil
}

/// `service NAME` or `defaults`, and a brace on the same line or the next.
private func isXinetd(_ words: [ArraySlice<UInt8>], at start: Cursor) -> Bool {
  let leaders = words.last?.elementsEqual("{".utf8) ?? false ? Array(words.dropLast()) : words
  let isService = leaders.count == 2 && leaders[0].elementsEqual("service".utf8)
  guard isService || (leaders.count == 1 && leaders[0].elementsEqual("defaults".utf8)) else { return false }
  var following = start
  following.skip { $0 != .lineFeed && $0 != .leftBrace }
  skipToSignificantLine(&following)
  return following.next == .leftBrace
}

/// Service, type of socket, protocol, wait or nowait, user and program.
private func isInetd(_ words: [ArraySlice<UInt8>]) -> Bool {
  guard words.count >= 6 else { return false }
  func begins(_ word: ArraySlice<UInt8>, _ beginnings: String...) -> Bool {
    beginnings.contains { word.starts(with: $0.utf8) }
  }
  return begins(words[1], "stream", "dgram", "raw", "seqpacket")
    && begins(words[2], "tcp", "udp", "unix", "rpc/", "sctp") && begins(words[3], "wait", "nowait")
}

private func skipToSignificantLine(_ cursor: inout Cursor) {
  while true {
    cursor.skip { $0.isBlank || $0.isLineEnd }
    guard cursor.next == .numberSign else { return }
    cursor.skip { $0 != .lineFeed }
  }
}

private func words(ofLineAt cursor: Cursor) -> [ArraySlice<UInt8>] {
  cursor.restOfLine().split(whereSeparator: \.isBlank)
}
