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

/// Runs calls whose failure is an `OpenError`.
func opening<Result: ~Copyable>(_ body: () throws(SystemCallError) -> Result) throws(FIFO.OpenError) -> Result {
  do throws(SystemCallError) { return try body() } catch { throw .call(error) }
}
