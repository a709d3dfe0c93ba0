@_spi(Begat) import UnixCore

/// Keeps two servers from serving one path, by a `PathLock`.
///
/// The FIFO itself cannot be locked: each reader has another one, and a process that opens it to lock it counts as a
/// reader.
struct ServerLock: ~Copyable, Sendable {
  private let lock: PathLock

  init(beside path: UnixPath) throws(FIFO.OpenError) {
    do throws(PathLock.LockError) { lock = try PathLock(beside: path, until: .immediate) } catch {
      switch error {
      case .call(let failure): throw .call(SystemCallError("mkfifo", on: path.description, code: failure.code))
      case .taken: throw .inUse(path)
      case .foreign(let lock): throw .foreignLock(path, lock)
      }
    }
  }
}
