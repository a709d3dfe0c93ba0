/// Bytes as execve(2) wants them.
enum NativeStrings {
  /// A copy with a NUL behind it, which the caller deallocates.
  static func copy(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar> {
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    UnsafeMutableRawPointer(copy).copyMemory(from: bytes, byteCount: bytes.count)
    copy[bytes.count] = 0
    return copy
  }
}
