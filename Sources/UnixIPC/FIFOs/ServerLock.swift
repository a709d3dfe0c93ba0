/// Keeps two servers from serving one path, by a `PathLock`.
///
/// The FIFO itself cannot be locked: each reader has another one, and a process that opens it to lock it counts as a
/// reader.
struct ServerLock: ~Copyable, Sendable {
  private let lock: PathLock

  init(beside path: String) throws(FIFO.Refusal) {
    do throws(CallFailure) { lock = try PathLock(beside: path, until: Deadline(instant: 0)) } catch {
      throw error.errno == .wouldBlock ? .inUse(path) : .call(error)
    }
  }
}
