import Glibc

// The only way from a path or a text to C, which would take a NUL for the end and so mean another file or name.

extension UnixPath {
  /// A copy of the path that C has, which ends at its NUL.
  package init(cString: UnsafePointer<CChar>) {
    self.init(bytes: UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
  }

  /// Lends the path to a call as C takes it.
  ///
  /// - Throws: `EINVAL` for a path with a NUL, and `body` is not called; what `body` throws.
  package func withCPath<Result: ~Copyable>(
    _ call: String, _ body: (UnsafePointer<CChar>) throws(SystemCallError) -> Result
  ) throws(SystemCallError) -> Result { try withTerminated(bytes, call, body) }
}

extension String {
  /// Lends the text to a call as C takes it.
  ///
  /// - Throws: `EINVAL` for a text with a NUL, and `body` is not called; what `body` throws.
  package func withCText<Result: ~Copyable>(
    _ call: String, _ body: (UnsafePointer<CChar>) throws(SystemCallError) -> Result
  ) throws(SystemCallError) -> Result { try withTerminated(utf8, call, body) }
}

/// Makes a system call on a path, as `check(_:on:_:)` does.
///
/// - Throws: `EINVAL` for a path with a NUL, and nothing is called.
package func check<Result: SignedInteger & FixedWidthInteger>(
  _ call: String, path: UnixPath, _ body: (UnsafePointer<CChar>) -> Result
) throws(SystemCallError) -> Result {
  try path.withCPath(call) { (native) throws(SystemCallError) in
    try check(call, on: path.description) { body(native) }
  }
}

/// Makes a system call on a text, as `check(_:on:_:)` does.
///
/// - Throws: `EINVAL` for a text with a NUL, and nothing is called.
package func check<Result: SignedInteger & FixedWidthInteger>(
  _ call: String, text: String, _ body: (UnsafePointer<CChar>) -> Result
) throws(SystemCallError) -> Result {
  try text.withCText(call) { (native) throws(SystemCallError) in try check(call, on: text) { body(native) } }
}

private func withTerminated<Result: ~Copyable>(
  _ bytes: some Collection<UInt8>, _ call: String,
  _ body: (UnsafePointer<CChar>) throws(SystemCallError) -> Result
) throws(SystemCallError) -> Result {
  guard !bytes.contains(0) else {
    throw SystemCallError(call, on: escaped(bytes), code: .invalidArgument)
  }
  return try withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) {
    (room) throws(SystemCallError) -> Result in
    var place = 0
    for byte in bytes {
      room[place] = CChar(bitPattern: byte)
      place += 1
    }
    room[place] = 0
    return try body(UnsafePointer(room.baseAddress!))
  }
}
