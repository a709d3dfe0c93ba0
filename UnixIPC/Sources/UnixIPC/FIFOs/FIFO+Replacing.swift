import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Replacing and removing without losing a file that was put in the FIFO's place: it is moved first, looked at, and put
/// back if it is not the FIFO.
extension FIFO {
  /// Removes the FIFO if it is still what is at its path; false if it was not removed.
  @discardableResult
  public borrowing func removeIfOurs() -> Bool {
    guard isInPlace else { return false }
    let aside = name.temporaryName
    guard rename(name, aside, noReplacing) == nil else { return false }
    guard isAt(aside) else {
      // Another file was put there between the look and the move.
      _ = rename(aside, name, noReplacing)
      return false
    }
    return unlink(aside)
  }

  /// Puts this FIFO, made under another name in the same directory, in the place of another FIFO, which is removed.
  ///
  /// There is always something at the path, unless the other FIFO had been removed before.
  ///
  /// Source: renameat2(2), RENAME_EXCHANGE.
  mutating func takePlace(of other: borrowing FIFO) throws(OpenError) {
    let place = other.path
    guard other.isInPlace else {
      try takePlace(place, other.name)
      return
    }
    let aside = name
    if let error = rename(aside, other.name, exchanging) {
      throw .call(SystemCallError("renameat2", on: place.description, code: error))
    }
    guard other.isAt(aside) else {
      _ = rename(aside, other.name, exchanging)
      throw .replaced(place)
    }
    _ = unlink(aside)
    isNow(at: place, other.name)
  }

  /// The same where nothing is at the path.
  private mutating func takePlace(_ path: UnixPath, _ name: UnixPath) throws(OpenError) {
    if let error = rename(self.name, name, noReplacing) {
      throw error == .fileExists
        ? .replaced(path) : .call(SystemCallError("renameat2", on: path.description, code: error))
    }
    isNow(at: path, name)
  }

  private func unlink(_ name: UnixPath) -> Bool {
    let number = directory.number
    return (try? check("unlinkat", path: name) { unlinkat(number, $0, 0) }) != nil
  }

  private func rename(_ old: UnixPath, _ new: UnixPath, _ flags: UInt32) -> ErrorCode? {
    let number = directory.number
    do throws(SystemCallError) {
      _ = try old.withCPath("renameat2") { (old) throws(SystemCallError) in
        try check("renameat2", path: new) { platform_renameat2(number, old, number, $0, flags) }
      }
      return nil
    } catch { return error.code }
  }
}

/// RENAME_NOREPLACE and RENAME_EXCHANGE, linux/fs.h
private let noReplacing: UInt32 = 1
private let exchanging: UInt32 = 2
