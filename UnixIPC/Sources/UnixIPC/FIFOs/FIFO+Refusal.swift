@_spi(Begat) import UnixCore

extension FIFO {
  /// Why a path or what stands there cannot be taken.
  public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case call(SystemCallError)
    /// A file, a link, a directory, a socket.
    case notAFIFO(String)
    /// Another user made it, and may read and replace what is written.
    case foreign(String, user: UInt32)
    /// Another user may replace files in its directory, or swap a directory on the way to it.
    case unsafeDirectory(String, UnsafeDirectory)
    /// Another server serves it.
    case inUse(String)
    /// Another user has made the file by which servers lock the path.
    case foreignLock(String, ForeignLock)
    /// Something else stands where the FIFO stood.
    case replaced(String)

    public var description: String {
      switch self {
      case .call(let failure): failure.description
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

/// Runs calls whose failure is a refusal.
func refusing<Result: ~Copyable>(_ body: () throws(SystemCallError) -> Result) throws(FIFO.Refusal) -> Result {
  do throws(SystemCallError) { return try body() } catch { throw .call(error) }
}
