extension FIFO {
  /// Why a path or what stands there cannot be taken.
  public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case call(CallFailure)
    /// A file, a link, a directory, a socket.
    case notAFIFO(String)
    /// Another user made it, and may read and replace what is written.
    case foreign(String, user: UInt32)
    /// Anybody may rename files in its directory.
    case unsafeDirectory(String)
    /// Another server serves it.
    case inUse(String)
    /// Something else stands where the FIFO stood.
    case replaced(String)

    public var description: String {
      switch self {
      case .call(let failure): failure.description
      case .notAFIFO(let path): "mkfifo \(path): exists and is not a FIFO; remove it or choose another path"
      case .foreign(let path, let user):
        "mkfifo \(path): belongs to user \(user); run as that user or choose another path"
      case .unsafeDirectory(let path):
        "mkfifo \(path): anybody may replace files in its directory; set its sticky bit or choose another directory"
      case .inUse(let path): "mkfifo \(path): another server serves it; stop that one or choose another path"
      case .replaced(let path): "open \(path): something else was put in the FIFO's place; remove it and start again"
      }
    }
  }
}

/// Runs calls whose failure is a refusal.
func refusing<Result: ~Copyable>(_ body: () throws(CallFailure) -> Result) throws(FIFO.Refusal) -> Result {
  do throws(CallFailure) { return try body() } catch { throw .call(error) }
}
