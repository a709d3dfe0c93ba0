@_spi(Begat) import UnixCore

extension FIFO {
  /// Why a FIFO cannot be made, taken over, opened or served.
  public enum OpenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A system call failed.
    case call(SystemCallError)
    /// A file, a link, a directory or a socket is at the path.
    case notAFIFO(UnixPath)
    /// Another user made the FIFO, and may read and replace what is written.
    case foreign(UnixPath, user: UInt32)
    /// Another user may replace files in its directory, or swap a directory on the way to it.
    case unsafeDirectory(UnixPath, UnsafeDirectory)
    /// Another server serves the path.
    case inUse(UnixPath)
    /// Another user has made the file by which servers lock the path.
    case foreignLock(UnixPath, ForeignLock)
    /// Another file is where the FIFO was.
    case replaced(UnixPath)

    /// One line for a log, with what to do about it.
    public var description: String {
      switch self {
      case .call(let error): error.description
      case .notAFIFO(let path): "mkfifo \(path): exists and is not a FIFO; remove it or choose another path"
      case .foreign(let path, let user):
        "mkfifo \(path): belongs to user \(user); run as that user or choose another path"
      case .unsafeDirectory(let path, let why): "mkfifo \(path): \(why)"
      case .inUse(let path): "mkfifo \(path): another server serves it; stop that one or choose another path"
      case .foreignLock(let path, let lock): "mkfifo \(path): \(lock)"
      case .replaced(let path): "open \(path): something else was put in the FIFO's place; remove it and start again"
      }
    }
  }
}

extension FIFO.OpenError {
  /// The reason of a failed system call; nil for the other cases.
  ///
  /// `.canceled` and `.timedOut` are the ends of a wait.
  public var code: ErrorCode? {
    guard case .call(let error) = self else { return nil }
    return error.code
  }

  /// The same about the path that the caller knows, for a failure on a file beside it.
  func named(_ path: UnixPath) -> FIFO.OpenError {
    switch self {
    case .call(let error): .call(SystemCallError(error.call, on: path.description, code: error.code))
    case .unsafeDirectory(_, let danger): .unsafeDirectory(path, danger)
    case .foreign(_, let user): .foreign(path, user: user)
    case .notAFIFO: .notAFIFO(path)
    case .replaced: .replaced(path)
    case .inUse, .foreignLock: self
    }
  }
}

/// Runs calls whose failure is an `OpenError`.
func opening<Result: ~Copyable>(_ body: () throws(SystemCallError) -> Result) throws(FIFO.OpenError) -> Result {
  do throws(SystemCallError) { return try body() } catch { throw .call(error) }
}
