import Glibc
@_spi(Begat) import UnixCore

/// What begatd gives itself and its programs as descriptors 0, 1 and 2.
extension StandardStreams {
  /// /dev/null, for programs that need no input or output.
  static let null: Descriptor = {
    do throws(SystemCallError) { return try Descriptor.open("/dev/null", .readWrite) } catch {
      preconditionFailure("begatd cannot run without it: \(error)")
    }
  }()

  /// What begatd's own programs get as standard error: begatd's, but not a starter's that waits for its end.
  static func errorNumber(isKept: Bool) -> CInt { isKept ? STDERR_FILENO : null.number }
}
