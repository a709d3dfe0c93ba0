import CPlatform
import Glibc

/// What is put in a FIFO's place is never lost: it is moved first, looked at, and put back where it is not ours.
extension FIFO {
  /// Removes the FIFO if it is still the one of this value; false when it was not removed.
  @discardableResult
  public borrowing func removeIfOurs() -> Bool {
    guard isInPlace else { return false }
    let aside = FIFO.temporaryName(for: name)
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
      throw .call(CallFailure("renameat2", on: place, errno: error))
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
      throw error == .exists ? .replaced(path) : .call(CallFailure("renameat2", on: path, errno: error))
    }
    isNow(at: path, name)
  }

  /// Nobody guesses it, so nobody waits there.
  static func temporaryName(for name: String) -> String {
    ".\(ParentDirectory.beginning(of: name, bytes: 200)).\(String(UInt64.random(in: .min ... .max), radix: 16))"
  }

  private func rename(_ old: String, _ new: String, _ flags: UInt32) -> Errno? {
    platform_renameat2(directory.number, old, directory.number, new, flags) == 0 ? nil : Errno.current
  }
}

/// RENAME_NOREPLACE and RENAME_EXCHANGE, linux/fs.h
private let noReplacing: UInt32 = 1
private let exchanging: UInt32 = 2
