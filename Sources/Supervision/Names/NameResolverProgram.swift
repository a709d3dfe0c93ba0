import Configuration
import Confinement
import ControlProtocol
import Glibc
@_spi(Begat) import NameService
import Settings
import Synchronization
@_spi(Begat) import UnixCore

/// The resolver's own program: begatd executed again, as a user of its own, with two descriptors.
public enum NameResolverProgram {
  private static let cacheNumber: CInt = 3
  private static let channelNumber: CInt = 4
  /// Look-ups for one listener that may wait for the network at the same time.
  private static let workersPerListener = 4
  /// The number of threads from which on a further listener gets only one.
  private static let maxThreads = 32
  private static let threadCount = Atomic(0)
  private static let lifetime = Duration.seconds(600)
  private static let lifetimeOfNone = Duration.seconds(60)

  /// The options that name the user to become.
  static func arguments(for user: ResolverUser) -> [String] {
    guard case .identity(let identity) = user else { return [] }
    return ["--user-number", String(identity.user), "--group-number", String(identity.group)]
  }

  /// Answers until begatd ends.
  ///
  /// - Parameter user: the user to become; nil stays as started.
  /// - Parameter group: its group.
  public static func run(user: UInt32?, group: UInt32?) -> CInt {
    HeldProgram.takeName()
    let identity = user.map { Identity(user: $0, group: group ?? $0, groups: [group ?? $0]) }
    do throws(SystemCallError) {
      let parent = getppid()
      try Privileges.giveUp(becoming: identity, keeping: [])
      // Never as root: the resolver parses data from the network.
      guard geteuid() != 0 else { throw SystemCallError("setresuid", on: "0", code: .notPermitted) }
      try Privileges.forbidCores()
      guard try ProcessControl.setParentDeathSignal(.kill, parent: parent) else { return 0 }
      let cache = SharedCache(try NameCache(Descriptor(owning: cacheNumber), writable: true))
      // From now on it reads what comes from the network, and writes to begatd's log no more.
      StandardError.redirect(to: STDOUT_FILENO)
      try obey(Descriptor(owning: channelNumber), cache)
      return 0
    } catch {
      StandardErrorMessage.write("names: \(error)", of: "begatd")
      return 1
    }
  }

  /// Answers begatd's questions whether this process is alive, and serves the listeners that it names, until begatd
  /// ends.
  private static func obey(_ channel: borrowing Descriptor, _ cache: SharedCache) throws(SystemCallError) {
    var unserved: [Asker] = []
    var failure: SystemCallError?
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { room in
      do throws(SystemCallError) {
        while true {
          var received = try channel.receive(into: room, maxPassed: 1)
          guard received.count > 0 else { return }
          let bytes = UnsafeRawBufferPointer(rebasing: room[..<received.count])
          switch ListenerChannel.supervisorMessage(bytes) {
          case .question(let number): try? ListenerChannel.sendAlive(number, on: channel)
          case .nameRequests:
            if let socket = received.descriptors.takeFirst() { unserved.append(Asker(consume socket, cache)) }
          default: break
          }
          // A listener for which there was no thread gets another chance with each of begatd's questions.
          unserved.removeAll(where: serve)
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Answers at a listener's socket, by threads that no other listener uses: however much one asks, and however long its
  /// look-ups take, the others get their answers.
  ///
  /// - Returns: whether there is at least one thread.
  private static func serve(_ asker: Asker) -> Bool {
    let wanted = max(1, min(workersPerListener, maxThreads - threadCount.load(ordering: .relaxed)))
    var started = 0
    while started < wanted, startThread(asker) { started += 1 }
    return started > 0
  }

  private static func startThread(_ asker: Asker) -> Bool {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(asker)
    threadCount.add(1, ordering: .relaxed)
    let result = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Asker>.fromOpaque(argument!).takeRetainedValue().work()
        NameResolverProgram.threadCount.subtract(1, ordering: .relaxed)
        return nil
      }, argument.toOpaque())
    guard result == 0 else {
      threadCount.subtract(1, ordering: .relaxed)
      argument.release()
      return false
    }
    pthread_detach(thread)
    return true
  }

  /// The cache, which has one writer at a time.
  private final class SharedCache: Sendable {
    private let cache: Mutex<NameCache>

    init(_ cache: consuming NameCache) { self.cache = Mutex(cache) }

    func answer(_ key: NameCache.Key) {
      // Many ask at the same time, and few threads look up.
      guard !cache.withLock({ $0.knows(key) }) else { return }
      let name = Hosts.name(of: key.address)
      cache.withLock { $0.store(name, for: key, lifetime: name == nil ? lifetimeOfNone : lifetime) }
    }
  }

  /// The socket and cache of a listener's threads; the kernel gives each question to one of them.
  private final class Asker: Sendable {
    private let questions: Descriptor
    private let cache: SharedCache

    init(_ questions: consuming Descriptor, _ cache: SharedCache) {
      self.questions = questions
      self.cache = cache
    }

    /// Answers until no process of the listener can ask any more.
    func work() {
      withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { room in
        while let count = try? questions.receive(into: room), count > 0 {
          if let key = NameCache.Key(message: UnsafeRawBufferPointer(rebasing: room[..<count])) { cache.answer(key) }
        }
      }
    }
  }
}
