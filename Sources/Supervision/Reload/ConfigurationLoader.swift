import Configuration
import Glibc
import Settings
import Synchronization
@_spi(Begat) import UnixCore

/// A service that is enabled, and the state of the files that its listener reads.
struct LoadedService: Sendable {
  var configuration: ServiceConfiguration
  var inputs: ListenerInputs
}

/// A configuration that checks.
struct LoadedConfiguration: Sendable {
  var configuration: Configuration
  /// Its files, as they were before they were read.
  var version: ConfigurationVersion
  /// Those that are enabled.
  var services: [LoadedService]

  init(_ configuration: Configuration, _ version: ConfigurationVersion) {
    self.configuration = configuration
    self.version = version
    var reader = ListenerInputReader()
    services = configuration.services.filter(\.settings.enabled).map {
      LoadedService(configuration: $0, inputs: reader.inputs(of: $0.settings))
    }
  }
}

/// Reads a configuration on a thread of its own: files and the name service may keep it waiting, and the supervisor's loop
/// must not wait.
final class ConfigurationLoader {
  typealias Result = Swift.Result<LoadedConfiguration, ConfigurationProblems>

  private let file: String?
  private let identities: IdentityKeeper
  /// Written to by a thread when it has a result.
  private let wakeUp: PipeEnds
  private let results = Results()
  /// Counts the jobs: the result of one that was given up is dropped.
  private var lastJob: UInt64 = 0

  /// - Parameter file: nil for the usual place or the embedded default.
  /// - Parameter identities: remembers the users of services.
  init(file: String?, identities: IdentityKeeper) throws(SystemCallError) {
    self.file = file
    self.identities = identities
    wakeUp = try PipeEnds()
    try wakeUp.readEnd.setNonBlocking(true)
  }

  /// Readable when a result is there to be taken.
  var number: CInt { wakeUp.readEnd.number }

  /// Begins to read the configuration.
  ///
  /// - Parameter isTrial: nothing is to be remembered of it.
  func start(isTrial: Bool) throws(SystemCallError) {
    lastJob += 1
    let identities = isTrial ? identities.copyForTrial() : identities
    let job = Job(number: lastJob, file: file, identities: identities, results: results, wakeUp: wakeUp.writeEnd.number)
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    // A configuration may be nested deeper than a thread's usual stack likes.
    pthread_attr_setstacksize(&attributes, 8 << 20)
    let failure = pthread_create(
      &thread, &attributes,
      { argument in
        Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(job).toOpaque())
    guard failure != 0 else { return }
    Unmanaged.passUnretained(job).release()
    throw SystemCallError("pthread_create", code: ErrorCode(rawValue: failure))
  }

  /// The result of the last job, once it is there.
  func take() -> Result? {
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { room in _ = try? wakeUp.readEnd.read(into: room) }
    guard let (job, result) = results.take(), job == lastJob else { return nil }
    return result
  }

  /// Gives the last job up: its thread may wait for a file system that does not answer.
  func giveUp() { lastJob += 1 }

  private final class Results: Sendable {
    private let result = Mutex<(job: UInt64, result: Result)?>(nil)

    func put(_ new: Result, of job: UInt64) { result.withLock { $0 = (job, new) } }

    func take() -> (job: UInt64, result: Result)? {
      result.withLock { result in
        defer { result = nil }
        return result
      }
    }
  }

  private final class Job: Sendable {
    private let number: UInt64
    private let file: String?
    private let identities: IdentityKeeper
    private let results: Results
    /// Stays open: the loader lives as long as begatd.
    private let wakeUp: CInt

    init(number: UInt64, file: String?, identities: IdentityKeeper, results: Results, wakeUp: CInt) {
      self.number = number
      self.file = file
      self.identities = identities
      self.results = results
      self.wakeUp = wakeUp
    }

    func run() {
      let version = ConfigurationVersion(file: file)
      do throws(ConfigurationProblems) {
        let configuration = try Configuration.load(file: file, identities: identities)
        results.put(.success(LoadedConfiguration(configuration, version)), of: number)
      } catch { results.put(.failure(error), of: number) }
      var byte: UInt8 = 1
      write(wakeUp, &byte, 1)
    }
  }
}
