import ControlProtocol
import Glibc
import NameService
import UnixIPC

/// The process that looks up hosts' names, seen from begatd.
///
/// Its answers come from the network: so it is another process, without privileges, and begatd reads none of them.
final class NameResolver {
  /// Where names are kept, for listeners to map.
  let cacheObject: Descriptor
  /// Where connection processes ask.
  let requests: Descriptor
  private let questions: Descriptor
  private(set) var process: pid_t?
  var restartTime: Int64?

  private let standardError: CInt

  /// - Parameter standardError: the descriptor that the resolver's process gets as standard error.
  init(standardError: CInt) throws(CallFailure) {
    self.standardError = standardError
    cacheObject = try MemoryFile.create(name: "begat-names", size: NameCache.size)
    let pair = try Descriptor.socketPair(kind: datagramKind)
    requests = pair.reading
    questions = pair.writing
  }

  func start() throws(CallFailure) {
    guard let own = ProgramFile.own else { throw CallFailure("readlink", on: "/proc/self/exe", errno: .noSuchFile) }
    var program = Program(
      path: own, arguments: ["begatd: names", "--resolve-names"], environment: ProgramEnvironment.build(),
      directory: "/")
    program.leadsSession = true
    process = try program.start(descriptors: [
      StandardStreams.null.number, StandardStreams.null.number, standardError, questions.number, cacheObject.number,
    ])
    restartTime = nil
  }

  /// Ends it: nothing of it outlives begatd.
  func stop() {
    guard let process else { return }
    try? Signal.kill.send(to: process)
    _ = try? Children.await(process)
    self.process = nil
  }

  /// It died: nobody waits longer than half a second for it, so a second is soon enough.
  func ended() {
    process = nil
    restartTime = Clock.monotonic() + 1_000_000_000
  }
}
