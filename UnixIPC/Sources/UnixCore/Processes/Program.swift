import CPlatform
import Glibc

/// A program to start: by path, without a shell, with exactly the arguments, variables and descriptors named.
///
///     let sort = try Program(named: "sort", arguments: ["-n", "numbers"])
///     let date = Program(path: "/bin/date", environment: .inherited.updating(["TZ": "UTC"]))
///
/// The program inherits the caller's variables and directory unless told otherwise; it inherits no descriptor beyond the
/// standard streams, no signal disposition and no blocked signal.
public struct Program: Sendable {
  /// A resource limit that holds for the program and what it starts.
  public struct Limit: Hashable, Sendable {
    /// The limited resource.
    public var resource: ResourceLimit
    /// The value that holds at first, and that the program may change up to `hard`.
    public var soft: UInt64
    /// The value up to which an unprivileged program may raise the limit.
    public var hard: UInt64

    /// A limit of a resource; `UInt64.max` is unlimited.
    public init(_ resource: ResourceLimit, soft: UInt64, hard: UInt64) {
      self.resource = resource
      self.soft = soft
      self.hard = hard
    }
  }

  /// The program's file.  It is not looked up in `PATH`: a path without `/` is one in the working directory.
  public var path: UnixPath
  /// The caller's descriptor of the program's file, which is executed whatever `path` leads to; nil for the file at `path`.
  ///
  /// A script cannot be executed so: its interpreter would find no file.
  ///
  /// Source: execveat(2), AT_EMPTY_PATH.
  @_spi(Begat) public var fileNumber: CInt?
  /// The name under which the program runs, `argv[0]`, in any bytes but NUL; nil for its path.
  public var argumentZeroBytes: [UInt8]?
  /// The arguments without the program's name, in any bytes but NUL.
  public var argumentBytes: [[UInt8]]
  /// The variables that the program gets.
  public var environment: Environment
  /// The working directory; nil for the caller's.
  public var directory: UnixPath?
  /// Whether it leads a session of its own, so that a terminal's signals do not reach it.
  public var leadsSession = false
  /// Whether its descriptor 0 is the terminal of a session of its own, which it then leads: `/dev/tty` is this terminal,
  /// and Ctrl-C typed there reaches the program.
  ///
  /// Source: ioctl_tty(2), TIOCSCTTY.
  public var controlsTerminal = false
  /// Whether it leads a process group of its own, so that it can be ended with all that it starts.
  public var leadsGroup = false
  /// The user and groups that it runs as; nil for the caller's.  ``Identity/real`` and ``Identity/effective`` need no
  /// privileges, another identity does: see ``Identity/become()``.
  public var identity: Identity?
  /// The resource limits, set in this order.
  public var limits: [Limit] = []
  /// The permissions that files it creates do not get; nil for the caller's.  Only the nine permission bits count.
  ///
  /// Source: umask(2).
  public var umask: mode_t?
  /// The number added to the caller's nice value.
  public var nice: CInt = 0
  /// The signal that the program gets when the thread that started it ends; nil for none.  A thread of a pool may end
  /// at any time.
  ///
  /// Source: PR_SET_PDEATHSIG(2const).
  public var parentDeathSignal: Signal?
  /// The signals that it ignores from its start, as nohup(1) has it; all others have their default action there.
  public var ignoredSignals = SignalSet()
  /// Whether it gets its own number as `LISTEN_PID` (sd_listen_fds(3)).
  public var setsListenPID = false
  /// Whether its parent is not the caller, which then has nothing to reap (`startDetached`).
  var isDetached = false

  /// A program by its path.
  ///
  /// - Parameter path: the program's file.
  /// - Parameter arguments: without the program's name, which is its path (see `argumentZero`).
  /// - Parameter environment: the variables that it gets.
  /// - Parameter directory: its working directory; nil for the caller's.
  public init(
    path: String, arguments: [String] = [], environment: Environment = .inherited, directory: String? = nil
  ) {
    self.init(
      path: UnixPath(path), argumentBytes: arguments.map { Array($0.utf8) }, environment: environment,
      directory: directory.map { UnixPath($0) })
  }

  /// A program by its path, which need not be text.
  ///
  /// - Parameter path: the program's file.
  /// - Parameter arguments: without the program's name, which is its path (see `argumentZero`).
  /// - Parameter environment: the variables that it gets.
  /// - Parameter directory: its working directory; nil for the caller's.
  public init(
    path: UnixPath, arguments: [String] = [], environment: Environment = .inherited, directory: UnixPath? = nil
  ) {
    self.init(
      path: path, argumentBytes: arguments.map { Array($0.utf8) }, environment: environment, directory: directory)
  }

  /// A program by its path, with arguments that need not be text.
  ///
  /// - Parameter path: the program's file.
  /// - Parameter argumentBytes: without the program's name, in any bytes but NUL.
  /// - Parameter environment: the variables that it gets.
  /// - Parameter directory: its working directory; nil for the caller's.
  public init(
    path: UnixPath, argumentBytes: [[UInt8]], environment: Environment = .inherited, directory: UnixPath? = nil
  ) {
    self.path = path
    self.argumentBytes = argumentBytes
    self.environment = environment
    self.directory = directory
  }

  /// A program by its name, which is looked up now, and under which it runs.
  ///
  /// - Parameter name: a name without `/`, or a path.
  /// - Parameter arguments: without the program's name.
  /// - Parameter environment: the variables that it gets.
  /// - Parameter directory: its working directory; nil for the caller's.
  /// - Parameter searchPath: directories with `:` between them; nil for the `PATH` of the calling process.
  /// - Throws: as `find(_:searchPath:)`.
  public init(
    named name: String, arguments: [String] = [], environment: Environment = .inherited, directory: String? = nil,
    searchPath: String? = nil
  ) throws(SystemCallError) {
    let searchPath = searchPath ?? getenv("PATH").map { String(cString: $0) }
    self.init(
      path: try Program.find(name, searchPath: searchPath), arguments: arguments, environment: environment,
      directory: directory)
    argumentZero = name
  }
}

// Bytes that are no UTF-8 are shown as U+FFFD, and become that where such a text is written back.
extension Program {
  /// `argumentBytes` as text: for arguments that came from elsewhere and may be any bytes, use those.
  public var arguments: [String] {
    get { argumentBytes.map { String(decoding: $0, as: UTF8.self) } }
    set { argumentBytes = newValue.map { Array($0.utf8) } }
  }

  /// `argumentZeroBytes` as text.
  public var argumentZero: String? {
    get { argumentZeroBytes.map { String(decoding: $0, as: UTF8.self) } }
    set { argumentZeroBytes = newValue.map { Array($0.utf8) } }
  }
}
