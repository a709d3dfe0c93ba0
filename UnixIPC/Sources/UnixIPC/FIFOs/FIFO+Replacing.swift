import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// What is put in a FIFO's place is never lost: it is moved first, looked at, and put back where it is not ours.
extension FIFO {
  /// Removes the FIFO if it is still the one of this value; false when it was not removed.
  @discardableResult
  public borrowing func removeIfOurs() -> Bool {
    guard isInPlace else { return false }
    let aside = ParentDirectory.temporaryName(for: name)
    guard rename(name, aside, noReplacing) == nil else { return false }
    guard isAt(aside) else {
      // Between the look and the move somebody put something else there.
      _ = rename(aside, name, noReplacing)
      return false
    }
    return unlinkat(directory.number, aside, 0) == 0
  }

  /// Puts this FIFO, made under another name in the same directory, where the other one stands, which is gone then.
  ///
  /// At no moment is nothing at the path, unless somebody had removed the other one.
  ///
  /// Source: renameat2(2), RENAME_EXCHANGE.
  mutating func takePlace(of other: borrowing FIFO) throws(Refusal) {
    let place = other.path
    guard other.isInPlace else {
      try takePlace(place, other.name)
      return
    }
    let aside = name
    if let error = rename(aside, other.name, exchanging) {
      throw .call(SystemCallError("renameat2", on: place, code: error))
    }
    guard other.isAt(aside) else {
      _ = rename(aside, other.name, exchanging)
      throw .replaced(place)
    }
    unlinkat(directory.number, aside, 0)
    isNow(at: place, other.name)
  }

  /// The same where nothing stands.
  mutating func takePlace(_ path: String, _ name: String) throws(Refusal) {
    if let error = rename(self.name, name, noReplacing) {
      throw error == .fileExists ? .replaced(path) : .call(SystemCallError("renameat2", on: path, code: error))
    }
    isNow(at: path, name)
  }

  private func rename(_ old: String, _ new: String, _ flags: UInt32) -> ErrorCode? {
    platform_renameat2(directory.number, old, directory.number, new, flags) == 0 ? nil : ErrorCode.current
  }
}

/// RENAME_NOREPLACE and RENAME_EXCHANGE, linux/fs.h
private let noReplacing: UInt32 = 1
private let exchanging: UInt32 = 2
