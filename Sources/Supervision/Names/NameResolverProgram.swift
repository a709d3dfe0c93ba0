import Confinement
import ControlProtocol
import Glibc
@_spi(Begat) import NameService
import Synchronization
@_spi(Begat) import UnixCore

/// The resolver's own program: begatd executed again, as nobody, with three descriptors.
public enum NameResolverProgram {
  private static let questionsNumber: CInt = 3
  private static let cacheNumber: CInt = 4
  private static let channelNumber: CInt = 5
  /// Look-ups that may wait for the network at once.
  private static let workers = 8
  private static let lifetime = Duration.seconds(600)
  private static let lifetimeOfNone = Duration.seconds(60)

  /// Answers until begatd ends.
  public static func run() -> CInt {
    do throws(SystemCallError) {
      let parent = getppid()
      // Never as root, which would read what comes from the network.
      try Privileges.giveUp(becoming: geteuid() == 0 ? Users.nobody : nil, keeping: [])
      try Privileges.forbidCores()
      guard try ProcessControl.setParentDeathSignal(.kill, parent: parent) else { return 0 }
      let cache = try NameCache(Descriptor(owning: cacheNumber), writable: true)
      let state = Shared(cache: cache, questions: Descriptor(owning: questionsNumber))
      for _ in 0..<workers { try startThread(state) }
      answerQuestions(Descriptor(owning: channelNumber))
      return 0
    } catch {
      try? StandardError.tryWrite("begatd: names: \(error)\n")
      return 1
    }
  }

  /// Tells begatd that this process turns, whenever it asks, until begatd is gone.
  private static func answerQuestions(_ channel: borrowing Descriptor) {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { room in
      while let count = try? channel.receive(into: room), count > 0 {
        let message = ListenerChannel.supervisorMessage(UnsafeRawBufferPointer(rebasing: room[..<count]))
        if case .question(let number) = message { try? ListenerChannel.sendAlive(number, on: channel) }
      }
    }
  }

  private static func startThread(_ state: Shared) throws(SystemCallError) {
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Shared>.fromOpaque(argument!).takeRetainedValue().work()
        return nil
      }, Unmanaged.passRetained(state).toOpaque())
    if result != 0 { throw SystemCallError("pthread_create", code: ErrorCode(rawValue: result)) }
  }

  /// What the workers share: the kernel deals the questions out, the cache has one writer at a time.
  private final class Shared: Sendable {
    private let cache: Mutex<NameCache>
    private let questions: Descriptor

    init(cache: consuming NameCache, questions: consuming Descriptor) {
      self.cache = Mutex(cache)
      self.questions = questions
    }

    func work() {
      withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { room in
        while let count = try? questions.receive(into: room) {
          if let key = NameCache.Key(message: UnsafeRawBufferPointer(rebasing: room[..<count])) { answer(key) }
        }
      }
    }

    private func answer(_ key: NameCache.Key) {
      // Many ask at the same time, and few threads look up.
      guard !cache.withLock({ $0.knows(key) }) else { return }
      let name = Hosts.name(of: key.address)
      cache.withLock { $0.store(name, for: key, lifetime: name == nil ? lifetimeOfNone : lifetime) }
    }
  }
}
