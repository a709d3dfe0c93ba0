import CPlatform
import Glibc

/// Descriptors 0, 1 and 2, which must be something: else the next file opened would be taken for one of them.
public enum StandardStreams {
  /// Opens /dev/null where one of them is closed.
  ///
  /// - Returns: the numbers that were closed.
  public static func fillGaps() throws(CallFailure) -> [CInt] {
    var filled: [CInt] = []
    while true {
      let filler = try Descriptor.open("/dev/null", O_RDWR)
      guard filler.number <= 2 else { return filled }
      try filler.setCloseOnExec(false)
      filled.append(filler.release())
    }
  }

  /// Lets go of what they were: from now on they are empty and bottomless.
  public static func becomeNull() {
    guard let null = try? Descriptor.open("/dev/null", O_RDWR) else { return }
    for number in 0...2 where number != null.number { dup2(null.number, CInt(number)) }
    // Where one of them was closed, it is that one.
    if null.number <= 2, (try? null.setCloseOnExec(false)) != nil { _ = null.release() }
  }
}
