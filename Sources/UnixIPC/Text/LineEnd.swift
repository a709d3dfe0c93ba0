/// The end of a line in text from elsewhere: LF or CR LF.
public enum LineEnd {
  /// Removes the CR that stands before a line's LF, which was taken off already.
  public static func removeReturn(from line: inout [UInt8]) {
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
  }
}
