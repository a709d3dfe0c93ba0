/// begatd itself.
public struct DaemonStatus: Hashable, Sendable {
  public enum State: String, Sendable, CaseIterable {
    case starting
    case serving
    case reloading
    /// It has said that it will stop, and accepts clients until `announce-time` is over.
    case announcing
    /// It accepts no more clients and waits for open connections.
    case stopping
  }

  /// begat's version.
  public var version: String
  public var process: Int32
  public var state: State
  /// Since its start.
  public var age: Duration
  /// The file, or `built-in default`.
  public var configuration: String
  /// Since the configuration in force was read; nil if it was read at the start.
  public var reloadAge: Duration?
  public var reloads = ReloadCounts()
  /// Lines that the log did not take in time, and which nothing can show any more.
  public var lostLogMessages: UInt64 = 0
  /// The sandbox parts that the kernel lacks, in a few words each.
  public var sandboxGaps: [String] = []

  public init(
    version: String, process: Int32, state: State, age: Duration, configuration: String, reloadAge: Duration? = nil
  ) {
    self.version = version
    self.process = process
    self.state = state
    self.age = age
    self.configuration = configuration
    self.reloadAge = reloadAge
  }
}

/// The reloads since begatd started, dry runs not counted.
public struct ReloadCounts: Hashable, Sendable {
  public var succeeded: UInt64 = 0
  /// Reloads that left the old configuration in force.
  public var refused: UInt64 = 0
  /// Whether the last one succeeded; nil if there was none.
  public var lastSucceeded: Bool?
  /// Since the end of the last one, whether it succeeded or not; nil if there was none.
  public var lastAge: Duration?

  public init() {}
}
