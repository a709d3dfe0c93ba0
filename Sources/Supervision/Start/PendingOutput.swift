@_spi(Begat) import UnixCore

/// A text on its way to a reader that may not read: a terminal stopped by Ctrl-S, a full pipe.
///
/// begatd writes what there is room for and goes on; the rest follows when its loop finds room.
final class PendingOutput {
  private let descriptor: Descriptor
  private let bytes: [UInt8]
  private var written = 0

  init(_ descriptor: consuming Descriptor, _ text: String) {
    self.descriptor = descriptor
    bytes = Array(text.utf8)
  }

  var number: CInt { descriptor.number }

  /// Writes what there is room for, without waiting.
  ///
  /// - Returns: whether it is over: all is written, or no process can read it any more.
  func advance() -> Bool {
    while written < bytes.count {
      do throws(SystemCallError) { written += try writeSome() } catch { return error.code != .wouldBlock }
    }
    return true
  }

  private func writeSome() throws(SystemCallError) -> Int {
    let result = bytes[written...].withUnsafeBytes { rest -> Result<Int, SystemCallError> in
      do throws(SystemCallError) { return .success(try descriptor.tryWrite(rest)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
