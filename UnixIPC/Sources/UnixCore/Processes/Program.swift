import CPlatform
import Glibc

/// A program to start: by absolute path, without a shell, with exactly the arguments, variables and descriptors named.
public struct Program: Sendable {
  /// A limit that holds for the program and what it starts.
  public struct Limit: Hashable, Sendable {
    public var resource: ResourceLimit
    public var soft: UInt64
    public var hard: UInt64

    public init(_ resource: ResourceLimit, soft: UInt64, hard: UInt64) {
      self.resource = resource
      self.soft = soft
      self.hard = hard
    }
  }

  public var path: String
  /// What the program gets as `argv`, its own name first: any bytes but NUL.
  public var argumentBytes: [[UInt8]]
  /// `NAME=value` each, any bytes but NUL; nothing is inherited.
  public var environmentBytes: [[UInt8]]
  /// The working directory; nil stays where the caller is.
  public var directory: String?
  /// Whether it leads a session of its own, so that a terminal's signals do not reach it.
  public var leadsSession = false
  /// Whether its descriptor 0 is the terminal of a session of its own, which it leads then: `/dev/tty` is this terminal,
  /// and what is typed there as Ctrl-C reaches the program.
  ///
  /// Source: ioctl_tty(2), TIOCSCTTY.
  public var controlsTerminal = false
  /// Whether it leads a process group of its own, so that it can be ended with all that it starts.
  public var leadsGroup = false
  /// Whom it runs as; nil leaves the caller's identity.  Needs privileges.
  public var identity: Identity?
  /// Set in the order given.
  public var limits: [Limit] = []
  /// Permissions that files it makes do not get; nil leaves the caller's.
  public var fileModeMask: mode_t?
  /// Added to the caller's nice value.
  public var nice: CInt = 0
  /// Sent to the program when the thread that started it ends.
  public var deathSignal: Signal?
  /// What it ignores from its start on, as nohup(1) has it; what other signals do there is the default.
  public var ignoredSignals = SignalSet()
  /// Whether it is nobody's child here, who would have to fetch it (`startDetached`).
  var isDetached = false
  /// Whether it gets its own number as `LISTEN_PID` (sd_listen_fds(3)).
  public var tellsListenProcess = false

  public init(path: String, arguments: [String], environment: [String] = [], directory: String? = nil) {
    self.init(
      path: path, argumentBytes: arguments.map { Array($0.utf8) }, environmentBytes: environment.map { Array($0.utf8) },
      directory: directory)
  }

  /// For arguments and variables that need not be text.
  public init(path: String, argumentBytes: [[UInt8]], environmentBytes: [[UInt8]] = [], directory: String? = nil) {
    self.path = path
    self.argumentBytes = argumentBytes
    self.environmentBytes = environmentBytes
    self.directory = directory
  }

  /// Starts the program as a child, which announces its end by SIGCHLD.
  ///
  /// Dispositions and the mask of signals are the default ones in the program, but for `ignoredSignals`.  Safe in a process with threads.
  ///
  /// - Parameter descriptors: the caller's numbers; the first becomes the program's 0, the second 1, and so on.  No
  ///   other descriptor is open in the program.
  /// - Throws: the step that failed in the child too: a program that cannot be executed is an error here; `EINVAL` for
  ///   a path, an argument or a variable with a NUL.
  ///
  /// Source: vfork(2), execve(2).
  public func start(descriptors: [CInt]) throws(SystemCallError) -> pid_t {
    try PreparedProgram(self).start(descriptors: descriptors)
  }
  /// The same with an owner, who ends the program by letting go of it.
  public func spawn(descriptors: [CInt]) throws(SystemCallError) -> ChildProcess {
    try ChildProcess(
      owning: try start(descriptors: descriptors), leadsGroup: leadsGroup || leadsSession || controlsTerminal)
  }
}
