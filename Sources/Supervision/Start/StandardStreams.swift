import Glibc
@_spi(Begat) import UnixCore

/// The descriptors 0, 1 and 2 that begatd gives itself and its programs.
extension StandardStreams {
  private static let openedNull: Result<CInt, SystemCallError> = {
    do throws(SystemCallError) { return .success(try Descriptor.open("/dev/null", .readWrite).release()) } catch {
      return .failure(error)
    }
  }()

  /// Opens /dev/null, before there is anything to clean up if that fails.
  static func openNull() throws(SystemCallError) { _ = try openedNull.get() }

  /// The descriptor of /dev/null, for programs that need no input or output.
  static var nullNumber: CInt {
    guard case .success(let number) = openedNull else { preconditionFailure("openNull() has failed") }
    return number
  }

  /// The descriptor that begatd's own programs get as standard error: begatd's, but not a starter's that waits for its end.
  static func errorNumber(isKept: Bool) -> CInt { isKept ? STDERR_FILENO : nullNumber }
}
